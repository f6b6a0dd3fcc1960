/** Speaks of what the playhead passes; the sound itself has an earcon for much of it. */

import type { Source } from "../audio/clips";
import { describePlace } from "../model/describe";
import { eventWords } from "../model/events";
import { formatStep, spokenName } from "../model/format";
import { tenthAt } from "../model/news";
import { layerNorms, nanLayers } from "../model/norms";
import { spanAt } from "../model/spans";
import { firstStepOf, lastStepOf, noteAtStep, stepAtFrame } from "../model/timeline";
import { noteShelf } from "../server/data";
import { across } from "../state/axes";
import { following, hearing, listening } from "../state/choices";
import { events } from "../state/landmarks";
import { announcer, placeHere, player, runWords } from "../state/playing";
import { sources } from "../state/sources";
import { quantity, runOf } from "../state/store";
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
  for (const event of events.value) {
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
  const table = noteShelf.get([source.view, span.firstNote, span.notes]).value;
  return table === null ? null : nanLayers(layerNorms(table, note, quantity.value));
}
