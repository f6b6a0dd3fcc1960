/** What is missing in a log, or can be done about it. */

import { useRef } from "preact/hooks";
import { chooseMeasure } from "../actions/sound";
import { MEASURED_BY, WORDS } from "../model/quantity";
import { formatStep, formatValue, spokenName } from "../model/words";
import { meets } from "../state/axis";
import { chosenQuantity, measure } from "../state/choices";
import { coverages, sources } from "../state/hearing";
import { announcer, lackWords } from "../state/playing";
import { chosenRuns, curves, hasQuantity, nonNull, partnerTag, quantity } from "../state/runs";
import { SIDES } from "../units";

const SNIPPET = `from tb_sonify import SonifyWriter

writer = SonifyWriter("runs/name")
writer.watch(model, optimizer)
writer.add_scalar("loss/train", loss, step)`;

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
