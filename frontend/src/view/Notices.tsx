/** What has to be told at the top of the page: problems of runs, faults of the server, loading. */

import { useRef } from "preact/hooks";
import { keyWords } from "../actions/commands";
import { goTo } from "../actions/moving";
import { answerOffer, chooseMeasure } from "../actions/sound";
import { refresh } from "../effects/index";
import { glyphOf } from "../model/landmarks";
import { MEASURED_BY, WORDS } from "../model/quantity";
import { problemWords } from "../model/watch";
import { formatStep, formatValue, shownName, spokenName } from "../model/words";
import { meets } from "../state/axis";
import { chosenQuantity, measure } from "../state/choices";
import { runResource } from "../state/data";
import { coverages, sources } from "../state/hearing";
import { loadingWords, progress, serverProblem } from "../state/loading";
import { announcer, lackWords, soundProblem } from "../state/playing";
import { chosenRuns, curves, hasQuantity, nonNull, partnerTag, quantity } from "../state/runs";
import { calmOffered, problems } from "../state/watch";
import { SIDES } from "../units";
import { Menu } from "./parts/Menu";

const SNIPPET = `from tb_sonify import SonifyWriter

writer = SonifyWriter("runs/name")
writer.watch(model, optimizer)
writer.add_scalar("loss/train", loss, step)`;

export function Problem() {
  const problem = serverProblem.value;
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

/** Shown while a live run is followed, until it is answered. */
export function CalmOffer() {
  if (!calmOffered.value) return null;
  return (
    <section class="offer" aria-labelledby="offer-title">
      <h2 id="offer-title">Calm sound for a live run</h2>
      <p>Quiet while all is as before; what is unusual comes forward.</p>
      <button type="button" onClick={() => answerOffer(true)}>
        Use it
      </button>
      <button type="button" class="plain" onClick={() => answerOffer(false)}>
        Keep this sound
      </button>
    </section>
  );
}

/** What cannot be read of the chosen runs, and what to do about it. */
export function Unreadable() {
  const names = new Map<string, Set<string>>();
  for (const { name, trouble } of chosenRuns.value)
    if (trouble !== null)
      names.set(trouble, (names.get(trouble) ?? new Set()).add(spokenName(name)));
  return (
    <>
      {[...names].map(([trouble, runs]) => (
        <p key={trouble} class="problem">
          {`${[...runs].join(", ")}: ${trouble}.`}
        </p>
      ))}
    </>
  );
}

/** Shown where TensorBoard has kept a part of what is heard. */
export function Sampled() {
  const found = SIDES.map((side) => coverages[side].value).filter(
    (coverage) => coverage !== null && coverage.sampled.length > 0,
  );
  const kept = found[0]?.pointsKept ?? null;
  if (found.length === 0) return null;
  if (kept === null) {
    return <p class="quiet">A part is known from scalars alone, which do not have every step.</p>;
  }
  return (
    <p class="quiet">
      TensorBoard keeps {formatStep(kept)} points of each scalar: spikes between them can be
      missing. To keep all, start it with <code class="whole">--samples_per_plugin scalars=0</code>.
    </p>
  );
}

/** Shown where steps of the norms and of the curve count different things, as epochs or environment steps. */
export function Unmet() {
  const side = SIDES.find((each) => !meets[each].value);
  const [coverage, curve] = side ? [coverages[side].value, curves[side].value] : [null, null];
  if (coverage === null || curve === null || measure.value !== "step") return null;
  const span = (steps: Float64Array) =>
    `${formatStep(steps[0] ?? 0)} to ${formatStep(steps.at(-1) ?? 0)}`;
  return (
    <p class="quiet">
      The norms have steps {span(coverage.steps)}, the curve has {span(curve.steps)}: they count
      something else.{" "}
      <button type="button" class="plain" onClick={() => chooseMeasure("time")}>
        Lay both along time
      </button>
    </p>
  );
}

/** Shown where a run lacks what is to be heard of the layers: it is silent, or both sound otherwise. */
export function Lacking() {
  const { heard } = WORDS[quantity.value];
  const instead =
    chosenQuantity.value !== quantity.value && SIDES.some(hasQuantity)
      ? [`No ${WORDS[chosenQuantity.value].value}s here: ${heard} are heard and shown instead`]
      : [];
  const silent = nonNull(SIDES.map(lackWords)).map((lack) => `${lack}: it is silent`);
  const words = [...instead, ...silent];
  return words.length === 0 ? null : (
    <p class="quiet">{[...words, MEASURED_BY].map((each) => `${each}.`).join(" ")}</p>
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

/** Shown where the chosen runs have nothing that can be heard, or a scalar only. */
export function NoNorms() {
  const chosen = chosenRuns.value;
  if (chosen.length === 0 || chosen.some(({ hasNorms }) => hasNorms)) return null;
  const scale = nonNull(SIDES.map((side) => coverages[side].value?.scale ?? null))[0];
  const pair = SIDES.some((side) => partnerTag[side].value !== null);
  const heard = SIDES.some((side) => sources[side].value !== null);
  const logged = chosen.every(({ trouble }) => trouble !== null);
  return (
    <section class="card empty" aria-labelledby="silent-title">
      <h2 id="silent-title">No gradient norms</h2>
      <p>
        {heard && scale !== undefined
          ? `The drawn scalar is heard instead, on a ${scale.kind} scale: ${formatValue(scale.low)} is 110 Hz, ${formatValue(scale.high)} is 1,760 Hz.${pair ? " Its validation loss sounds an octave above: where both are equal, you hear an octave." : ""}`
          : "These runs have scalars, but no gradient norms."}
        {!logged && " To hear the layers, log their norms:"}
      </p>
      {!logged && <HowToLog />}
    </section>
  );
}

function HowToLog() {
  const code = useRef<HTMLElement>(null);
  return (
    <div class="snippet">
      <section class="code" tabIndex={0} aria-label="How to log gradient norms">
        <pre>
          <code ref={code}>{SNIPPET}</code>
        </pre>
      </section>
      <button type="button" onClick={() => void copy(code.current)}>
        Copy
      </button>
    </div>
  );
}

/** Onto the clipboard; where there is none, on plain http, as far as selecting it goes. */
async function copy(element: HTMLElement | null): Promise<void> {
  if (element === null) return;
  window.getSelection()?.selectAllChildren(element);
  try {
    await navigator.clipboard.writeText(SNIPPET);
    announcer.say("Copied");
  } catch {
    announcer.say("Selected: press Ctrl and C to copy");
  }
}

/** A line along the top, which is there for those who have to wait long enough to see it. */
export function Loading() {
  const { done, all } = progress.value;
  return (
    <>
      {done < all && <progress value={done} max={all} aria-label="Loading" />}
      <p role="status" class="hidden">
        {words()}
      </p>
    </>
  );
}

/** The shape of what is to come. */
export function Skeleton() {
  const { value, error } = runResource.get([]);
  return value === null && error === null ? <div class="card skeleton" /> : null;
}

/** What is missing altogether, and otherwise how far loading has got. */
function words(): string {
  if (runResource.get([]).value?.length === 0) return "No runs yet";
  const chosen = chosenRuns.value;
  const scalars = chosen.length > 0 && chosen.every(({ hasNorms }) => !hasNorms);
  const heard = SIDES.some((side) => sources[side].value !== null);
  return scalars && heard ? "No gradient norms. The curve is heard instead" : loadingWords.value;
}

/** The runs that are broken, the worst first; each goes to where it broke. */
export function Problems() {
  const all = problems.value;
  if (all.length === 0) return null;
  const key = keyWords("goToWorst");
  return (
    <Menu
      id="problems-menu"
      name={`Problems ${all.length}`}
      title={key === null ? undefined : `Runs that are broken; ${key} goes to the worst`}
      face={
        <span class="problem-count">
          <span aria-hidden="true">▲</span> Problems {all.length}
        </span>
      }
    >
      <ul class="commands problems">
        {all.map((each) => (
          <li key={each.run}>
            <button
              type="button"
              class="plain"
              title={`${shownName(each.run)}: ${each.problem.sentence}`}
              onClick={() => goTo(each)}
            >
              <i aria-hidden="true">{glyphOf(each.problem.kind)}</i>
              <bdi>{shownName(each.run)}</bdi>{" "}
              <span class="what" dir="auto">
                {problemWords(each.problem)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Menu>
  );
}
