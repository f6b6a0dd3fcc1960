/**
 * Where playback is, as plain data. Nothing here ticks: the position follows from the audio
 * clock, so the playhead cannot drift from the sound.
 */

import { stepAtFrame, type Timeline } from "../model/timeline";
import type { SampleFrame, Side, Step } from "../units";
import { type Anchor, frameAt } from "./plan";

/** One run, played from one point on without interruption. */
export type Passage = {
  readonly side: Side;
  readonly timeline: Timeline;
  readonly anchor: Anchor;
  /** Frame of the run up to which clips are started. */
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
  readonly step: Step;
  readonly frame: SampleFrame;
  /** The clip that belongs here is not here yet. */
  readonly waiting: boolean;
};

/** Position while frame `heard` of the audio context is at the ear. */
export function positionAt(transport: Transport, heard: SampleFrame): Position {
  if (transport.state === "paused") return { step: transport.step, frame: 0, waiting: false };
  const { passage, before } = transport;
  const atEar = before !== null && heard < passage.anchor.at ? before : passage;
  const frame = frameAt(atEar.anchor, Math.max(heard, atEar.anchor.at));
  // Beyond what is started there is silence, and the playhead must not run ahead of the sound.
  const held = Math.min(frame, atEar.started);
  return { step: stepAtFrame(atEar.timeline, held), frame: held, waiting: frame >= atEar.started };
}
