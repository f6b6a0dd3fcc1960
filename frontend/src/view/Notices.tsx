/** What is missing, and what to do about it. */

import { coverageShelf, curveShelf, runShelf, signalShelf } from "../data";
import { refresh } from "../effects";
import { soundProblem } from "../playing";
import { coverages, runs, sides, sources, tag } from "../store";
import { SIDES } from "../units";

const SNIPPET = `from tb_sonify import SonifyWriter

writer = SonifyWriter("runs/name")
writer.watch(model, optimizer)
writer.add_scalar("loss/train", loss, step)`;

/** The first thing that went wrong with the server, in its own words. */
export function serverProblem(): string | null {
  const entries = [
    runShelf.get([]),
    ...SIDES.flatMap((side) => {
      const run = sides.value[side];
      if (run === null) return [];
      const curve = tag.value === null ? [] : [curveShelf.get([run, tag.value])];
      return [signalShelf.get([run]), coverageShelf.get([run]), ...curve];
    }),
  ];
  return entries.find(({ error }) => error !== null)?.error ?? null;
}

export function Problem() {
  const problem = serverProblem();
  return (
    <div role="alert" class="alerts">
      {problem !== null && (
        <p class="problem">
          <span>
            Not everything could be loaded: <bdi>{problem}</bdi>
          </span>
          <button type="button" onClick={refresh}>
            Retry
          </button>
        </p>
      )}
      {soundProblem.value !== null && (
        <p class="problem">
          <span>{soundProblem.value}</span>
          <button
            type="button"
            onClick={() => {
              soundProblem.value = null;
            }}
          >
            Close
          </button>
        </p>
      )}
    </div>
  );
}

export function NoRuns() {
  return (
    <section class="card empty" aria-labelledby="empty-title">
      <h2 id="empty-title">No runs yet</h2>
      <p>
        Start TensorBoard on a directory that has runs, or write one. New runs appear here when
        TensorBoard reloads its data.
      </p>
      <HowToLog />
    </section>
  );
}

/** Shown where runs can be drawn and none of the chosen can be heard. */
export function NoNorms() {
  const chosen = SIDES.filter((side) => sides.value[side] !== null);
  const known = chosen.every((side) => coverages[side].value !== null);
  if (chosen.length === 0 || !known || chosen.some((side) => sources[side].value !== null))
    return null;
  const elsewhere = runs.value.some(({ hasNorms }) => hasNorms);
  return (
    <section class="card empty" aria-labelledby="silent-title">
      <h2 id="silent-title">Nothing to hear here yet</h2>
      <p>
        {elsewhere
          ? "The chosen runs have scalars, but no gradient norms. Choose a run that is not marked “no norms”, or log them:"
          : "These runs have scalars, but no gradient norms, which are what is heard. To log them:"}
      </p>
      <HowToLog />
    </section>
  );
}

function HowToLog() {
  return (
    <section class="code" tabIndex={0} aria-label="How to log gradient norms">
      <pre>
        <code>{SNIPPET}</code>
      </pre>
    </section>
  );
}
