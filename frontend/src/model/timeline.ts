/** How the notes of a run lie on steps and on sample frames: note n starts at frame n * hop. */

import type { SampleFrame, Step } from "../units";
import type { Coverage, Preset } from "./answers";

export type Timeline = {
  /** First step of each note and, at the end, the last step of all. */
  readonly steps: Float64Array;
  readonly notes: number;
  readonly hop: SampleFrame;
};

export function timelineOf(coverage: Coverage, preset: Preset): Timeline {
  const { steps } = coverage;
  return { steps, notes: Math.max(0, steps.length - 1), hop: preset.hop };
}

export const endOf = (timeline: Timeline): SampleFrame => timeline.notes * timeline.hop;

export const firstStepOf = (timeline: Timeline): Step => timeline.steps[0] ?? 0;

export const lastStepOf = (timeline: Timeline): Step => timeline.steps[timeline.notes] ?? 0;

/** The note that sounds at a sample frame, within the run. */
export function noteAtFrame(timeline: Timeline, frame: SampleFrame): number {
  return clamp(Math.floor(frame / timeline.hop), 0, timeline.notes - 1);
}

/** The note that covers a step: the last one that does not begin after it. */
export function noteAtStep(timeline: Timeline, step: Step): number {
  return Math.max(0, lastNotAfter(timeline.steps, step, timeline.notes));
}

/** The step at a sample frame, on a straight line from each note's first step to the next one's. */
export function stepAtFrame(timeline: Timeline, frame: SampleFrame): Step {
  if (timeline.notes === 0) return 0;
  const note = noteAtFrame(timeline, frame);
  const [from, to] = bounds(timeline, note);
  return from + (to - from) * clamp(frame / timeline.hop - note, 0, 1);
}

/** The sample frame at which a step is heard: the inverse of `stepAtFrame`. */
export function frameAtStep(timeline: Timeline, step: Step): SampleFrame {
  if (timeline.notes === 0) return 0;
  const note = noteAtStep(timeline, step);
  const [from, to] = bounds(timeline, note);
  // The last note begins at the last step where it covers a single row.
  const within = to > from ? clamp((step - from) / (to - from), 0, 1) : 0;
  return Math.round((note + within) * timeline.hop);
}

/** The sample frame at which the note of a whole step begins: where a click on it plays from. */
export function noteStart(timeline: Timeline, step: Step): SampleFrame {
  return noteAtStep(timeline, Math.round(step)) * timeline.hop;
}

/** Index of the last of the first `length` values that is not after `value`, -1 where none is. */
export function lastNotAfter(values: ArrayLike<number>, value: number, length: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Number.POSITIVE_INFINITY) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

function bounds(timeline: Timeline, note: number): [Step, Step] {
  const from = timeline.steps[note] ?? 0;
  return [from, timeline.steps[note + 1] ?? from];
}
