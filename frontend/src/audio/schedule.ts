/** What is to be started when: cues on the audio clock, from position, loop and alternation. */

import {
  endOf,
  lastStepOf,
  noteStart,
  type Span,
  spanAt,
  stepAtFrame,
  type Timeline,
} from "../model/notes";
import type { Range, SampleFrame, Side, Step } from "../units";

/** Sound at frame `frame` of the run leaves the context at its frame `at`, and so on from there. */
export type Anchor = { readonly at: SampleFrame; readonly frame: SampleFrame };

/** Frames of a run that are played again and again; `to` is the first that is not. */
export type Loop = { readonly from: SampleFrame; readonly to: SampleFrame };

/** The way through a run. */
export type Course = {
  /** -1: note by note towards the start, each played forwards. */
  readonly direction: 1 | -1;
  readonly loop: Loop | null;
  /** After how many frames it is over; null: where the run is. */
  readonly length: SampleFrame | null;
};

/** Whole notes, at least one, from the first step up to the last; null beyond the end of the run. */
export function loopIn(timeline: Timeline, steps: Range | null): Loop | null {
  if (steps === null || steps[0] > lastStepOf(timeline) || timeline.notes === 0) return null;
  const from = noteStart(timeline, steps[0]);
  const to = steps[1] >= lastStepOf(timeline) ? endOf(timeline) : noteStart(timeline, steps[1]);
  return { from, to: Math.max(to, from + timeline.hop) };
}

/** A way from a point on. Time on it is counted in frames from there: these are called elapsed. */
export type Way = { readonly anchor: Anchor; readonly course: Course };

export type Cue = {
  readonly span: Span;
  /** Frame of the audio context at which the clip starts. */
  readonly at: SampleFrame;
  /** Frames of the clip that are left out at its beginning. */
  readonly offset: SampleFrame;
  /** After how many frames the clip is faded out; null: it plays to its end. */
  readonly cut: SampleFrame | null;
  /** Elapsed frames at which the next clip is due. */
  readonly next: SampleFrame;
};

/** The frame of the run that sounds after so many frames. */
export function frameAfter({ anchor, course }: Way, hop: SampleFrame, elapsed: SampleFrame) {
  const { loop, direction } = course;
  if (direction === -1) {
    return anchor.frame - Math.floor(elapsed / hop) * hop + (elapsed % hop);
  }
  const frame = anchor.frame + elapsed;
  if (loop === null || anchor.frame >= loop.to || frame < loop.to) return frame;
  return loop.from + ((frame - loop.from) % (loop.to - loop.from));
}

/**
 * The clips to start, in order.
 *
 * Clips overlap by their tail: each runs out under the next, whose first frames fade in, so a
 * clip is cued by its notes alone. It is played to its end, unless the way leaves it before.
 *
 * @param from elapsed frames for which clips are started already
 * @param until frame of the context up to which starts are wanted
 */
export function plan(
  spans: readonly Span[],
  hop: SampleFrame,
  way: Way,
  from: SampleFrame,
  until: SampleFrame,
): Cue[] {
  const cues: Cue[] = [];
  for (let due = from; way.anchor.at + due < until; ) {
    const cue = cueAt(spans, hop, way, due);
    if (cue === null) break;
    cues.push(cue);
    due = cue.next;
  }
  return cues;
}

function cueAt(
  spans: readonly Span[],
  hop: SampleFrame,
  way: Way,
  elapsed: SampleFrame,
): Cue | null {
  const { loop, length, direction } = way.course;
  const frame = frameAfter(way, hop, elapsed);
  const span = spanAt(spans, Math.floor(frame / hop));
  if (span === undefined || (length !== null && elapsed >= length)) return null;
  const start = span.firstNote * hop;
  const end = start + span.notes * hop;
  let stop = end;
  if (direction === -1) stop = Math.min(stop, (Math.floor(frame / hop) + 1) * hop);
  if (loop !== null && frame < loop.to) stop = Math.min(stop, loop.to);
  if (length !== null) stop = Math.min(stop, frame + length - elapsed);
  return {
    span,
    at: way.anchor.at + elapsed,
    offset: frame - start,
    cut: stop < end ? stop - frame : null,
    next: elapsed + stop - frame,
  };
}

/** What is played from one point on without interruption. */
export type Passage = Way & {
  /** The run whose steps these are. */
  readonly side: Side;
  readonly timeline: Timeline;
  /** Elapsed frames for which clips are started. */
  readonly started: SampleFrame;
};

export type Transport =
  | { readonly state: "paused"; readonly step: Step }
  | {
      readonly state: "playing";
      readonly passage: Passage;
      /** What is at the ear until the passage gets there, where it carries on at the same step. */
      readonly before: Passage | null;
    };

export type Position = {
  /** The run whose step it is; null at rest: that which is to be heard. */
  readonly side: Side | null;
  readonly step: Step;
  readonly frame: SampleFrame;
  /** The clip that belongs here is not here yet. */
  readonly waiting: boolean;
};

/** Position while frame `heard` of the audio context is at the ear. */
export function positionAt(transport: Transport, heard: SampleFrame): Position {
  if (transport.state === "paused") {
    return { side: null, step: transport.step, frame: 0, waiting: false };
  }
  const { passage, before } = transport;
  const atEar = before !== null && heard < passage.anchor.at ? before : passage;
  const elapsed = Math.max(heard - atEar.anchor.at, 0);
  const frame = frameIn(atEar, elapsed);
  const { side, timeline, started } = atEar;
  return { side, step: stepAtFrame(timeline, frame), frame, waiting: elapsed >= started };
}

/**
 * The frame of the run that is reached after so many frames.
 *
 * Beyond what is started there is silence, and the playhead must not run ahead of the sound.
 */
export const frameIn = (passage: Passage, elapsed: SampleFrame): SampleFrame =>
  frameAfter(passage, passage.timeline.hop, Math.min(elapsed, passage.started));

/** Whether all there is of a passage has been heard after so many frames. */
export function isOver(passage: Passage, elapsed: SampleFrame): boolean {
  const { anchor, course, started, timeline } = passage;
  const reached = Math.min(elapsed, started);
  if (course.length !== null && reached >= course.length) return true;
  if (course.direction === -1) return reached >= anchor.frame + timeline.hop;
  return frameIn(passage, reached) >= endOf(timeline);
}
