/**
 * Where playback is, as plain data. Nothing here ticks: the position follows from the audio
 * clock, so the playhead cannot drift from the sound.
 */

import { endOf, stepAtFrame, type Timeline } from "../model/timeline";
import type { SampleFrame, Side, Step } from "../units";
import { frameAfter, type Way } from "./plan";

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
