/** The notes of a run: where they lie on steps and on sample frames, in which clips, and which are single rows. */

import type { Range, SampleFrame, Step } from "../units";
import type { Coverage, Preset, Segment } from "./answers";

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

export type Span = {
  readonly firstNote: number;
  readonly notes: number;
  /** Another one means another sound. */
  readonly digest: string;
  /** More notes may come: a clip of this span is not the last word. */
  readonly open: boolean;
};

/** A clip lasts at most this long: a preset that plays layer by layer needs minutes for a segment. */
const MAX_SECONDS = 12;

/** The spans of a run, in order and without holes. */
export function spansOf(segments: readonly Segment[], preset: Preset): Span[] {
  const limit = Math.max(1, Math.floor((MAX_SECONDS * preset.sampleRate) / preset.hop));
  return segments.flatMap(({ firstNote, notes, digest, open }) => {
    const parts = Math.ceil(notes / limit);
    return Array.from({ length: parts }, (_, part) => {
      const from = Math.round((part * notes) / parts);
      const to = Math.round(((part + 1) * notes) / parts);
      const last = part === parts - 1;
      return { firstNote: firstNote + from, notes: to - from, digest, open: open && last };
    });
  });
}

/** The same spans of another source, which has its notes on the same grid. */
export function spansLike(spans: readonly Span[], segments: readonly Segment[]): Span[] {
  const starts = segments.map(({ firstNote }) => firstNote);
  return spans.map((span) => {
    const last = segments[lastNotAfter(starts, span.firstNote + span.notes - 1, starts.length)];
    return { ...span, digest: last?.digest ?? "" }; // says also what is before it
  });
}

export function spanAt(spans: readonly Span[], note: number): Span | undefined {
  const starts = spans.map((span) => span.firstNote);
  const span = spans[lastNotAfter(starts, note, starts.length)];
  return span !== undefined && note < span.firstNote + span.notes ? span : undefined;
}

// What the server takes apart, less the notes at the ends.
const MOST_ROWS = 9_000;
const MOST_VALUES = 3_600_000;
const BESIDE = 1; // times what is seen, before it and after it

/**
 * The steps whose notes are to be taken apart, so that each row is one; null where none are.
 *
 * @param last what it was before, which stays as long as it holds what is seen
 */
export function rowByRowFor(
  { steps, rowsPerNote, layers }: Coverage,
  [from, to]: Range,
  last: Range | null,
): Range | null {
  const row = stepsOfRow(steps, rowsPerNote[0]);
  if (rowsPerNote[1] === 1 || row === null || !(from < to)) return null;
  const most = Math.min(MOST_ROWS, MOST_VALUES / Math.max(layers.length, 1)) * row;
  const width = to - from;
  const wanted = width * (1 + 2 * BESIDE);
  if (wanted > most) return null;
  if (last !== null && last[0] <= from && to <= last[1] && last[1] - last[0] <= 4 * wanted) {
    return last;
  }
  return [Math.floor(from - BESIDE * width), Math.ceil(to + BESIDE * width)];
}

const FIRST_NOTES = 100; // which sum up the fewest rows

/** About how many steps apart rows are. */
function stepsOfRow(steps: Float64Array, rowsPerNote: number): number | null {
  const notes = Math.min(FIRST_NOTES, steps.length - 1);
  const [first, last] = [steps[0], steps[notes]];
  if (first === undefined || last === undefined || last <= first) return null;
  return (last - first) / (notes * rowsPerNote);
}
