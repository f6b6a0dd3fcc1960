/** What is said without being asked: landmarks that are passed, newest points. */

import { untracked } from "@preact/signals";
import type { Source } from "../audio/clips";
import { describePlace, eventWords, tenthAt } from "../model/landmarks";
import { layerNorms, nanLayers } from "../model/norms";
import { firstStepOf, lastStepOf, noteAtStep, spanAt, stepAtFrame } from "../model/notes";
import { formatStep, spokenName } from "../model/words";
import { across, laidCurves } from "../state/axis";
import { following, hearing, listening, monitoring } from "../state/choices";
import { noteResource } from "../state/data";
import { score, sources } from "../state/hearing";
import { announcer, isPlaying, landmarks, placeHere, player, runWords } from "../state/playing";
import { quantity, runOf, sides, tag } from "../state/runs";
import { isTold } from "../state/watch";
import type { Step } from "../units";

/** What is watched since when, and how far. */
type Watch = {
  readonly run: string;
  readonly frame: number;
  step: Step;
  /** The next note to look at for a NaN. */
  note: number;
  /** Where the first NaN was. */
  nan: Step | null;
  tenth: number;
  /** Whether a loop has been gone through. */
  again: boolean;
};

let watch: Watch | null = null;

/** To be run as an effect: looks at all between two positions, so that nothing is missed. */
export function speakOfWhatPasses(): void {
  const { step } = player.shown.value;
  const transport = player.transport.value;
  const source = sources[hearing.value].value;
  if (transport.state === "paused" || source === null) {
    watch = null;
    return;
  }
  const { anchor, course, side } = transport.passage;
  if (side !== hearing.value) return; // still about to turn
  if (watch?.run !== source.run || watch.frame !== anchor.frame) {
    watch = watchFrom(source, stepAtFrame(source.timeline, anchor.frame), anchor.frame);
  }
  const before = watch.step;
  watch.step = step;
  if (course.direction === 1 && step < before) {
    if (course.loop === null) return;
    watch.again = true;
    announcer.tell("round", `Loop again from step ${formatStep(step)}`);
  }
  if (watch.again) return; // all that is in the loop has been spoken of
  speakOfLandmarks(before, step, watch);
  speakOfNan(source, watch);
  speakOfProgress(source, watch);
}

function watchFrom(source: Source, step: Step, frame: number): Watch {
  const { run, timeline } = source;
  // A landmark at the very start is passed as well.
  const before = step - 1e-6;
  const tenth = tenthAt(step, [firstStepOf(timeline), lastStepOf(timeline)]);
  return {
    run,
    frame,
    step: before,
    note: noteAtStep(timeline, step),
    nan: null,
    tenth,
    again: false,
  };
}

function speakOfLandmarks(before: Step, now: Step, { nan }: Watch): void {
  const [from, to] = before < now ? [before, now] : [now, before];
  const lead = hearing.value;
  for (const event of landmarks.value) {
    const own = event.side === lead;
    if (!own && listening.value === "one") continue;
    const step = across(event.step, event.side, lead);
    if (step <= from || step > to) continue;
    // The first NaN is spoken of with all of its layers, below.
    if (own && event.kind === "nan" && nan === null && before < now) continue;
    if (isToldLive(runOf(event.side)?.name ?? "", event.kind, event.step)) continue;
    announcer.tell("landmark", `${own ? "" : `${runWords(event.side)}, `}${eventWords(event)}`);
  }
}

/** Following the live end goes over the same steps again, of which is spoken once. */
function isToldLive(run: string, kind: string, step: Step): boolean {
  const before = isTold(run, kind, step);
  return before && following.value;
}

function speakOfNan(source: Source, watched: Watch): void {
  const { timeline } = source;
  const last = noteAtStep(timeline, watched.step);
  for (; watched.note <= last && watched.nan === null; watched.note++) {
    const layers = nanLayersOf(source, watched.note);
    if (layers === null) return; // not loaded yet: look again when it is
    if (layers[0] === undefined) continue;
    const others = layers.length > 1 ? ` and ${layers.length - 1} more` : "";
    watched.nan = timeline.steps[watched.note] ?? watched.step;
    if (isToldLive(source.run, "nan", watched.nan)) return;
    const at = formatStep(watched.nan);
    announcer.tell("landmark", `NaN in ${spokenName(layers[0])}${others} at step ${at}`);
  }
}

function speakOfProgress({ timeline }: Source, watched: Watch): void {
  const tenth = tenthAt(watched.step, [firstStepOf(timeline), lastStepOf(timeline)]);
  if (tenth === watched.tenth) return;
  watched.tenth = tenth;
  announcer.tell("progress", `${10 * tenth} %, ${describePlace({ ...placeHere(), run: null })}`);
}

function nanLayersOf(source: Source, note: number): string[] | null {
  const span = spanAt(source.spans, note);
  if (span === undefined) return [];
  const table = noteResource.get([source.view, span.firstNote, span.notes]).value;
  return table === null ? null : nanLayers(layerNorms(table, note, quantity.value));
}

let last: { readonly of: string; readonly step: Step } | null = null;

/** To be run as an effect. */
export function sayNewest(): void {
  const side = hearing.value;
  const curve = laidCurves[side].value;
  const at = (curve?.steps.length ?? 0) - 1;
  const [step, min, max] = [curve?.steps[at], curve?.min[at], curve?.max[at]];
  if (!monitoring.value || step === undefined || min === undefined || max === undefined) {
    last = null;
    return;
  }
  const of = `${sides.value[side]} ${tag.value}`;
  const before = last?.of === of ? last.step : step;
  last = { of, step };
  if (step <= before) return;
  announcer.tell(
    "newest",
    describePlace({ run: null, step, tag: tag.peek(), value: { min, max } }),
  );
  const source = untracked(() => sources[side].value);
  if (source !== null && !untracked(isPlaying))
    player.stage.hearNote(score.peek(), noteAtStep(source.timeline, step));
}
