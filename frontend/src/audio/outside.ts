/** What the player asks of those around it, and what it tells them. */

import type { Range, Seconds, Side, Step } from "../units";
import type { Score } from "./score";
import type { Passage } from "./transport";

/** What the player asks of those who know what is to be played. */
export type PlayerSources = {
  /** What is to be heard; null where there is nothing. */
  readonly score: () => Score | null;
  /** What may be switched to. */
  readonly other: () => Score | null;
  /** Steps of the lead that are to be played again and again. */
  readonly loop: () => Range | null;
  /** The step of one run that is compared with a step of the other. */
  readonly across: (step: Step, from: Side, to: Side) => Step;
};

export type PlayerEvents = {
  /** The run has been heard to its end, or back to its start. */
  readonly ended: (side: Side) => void;
  /** Playing had to stop: no sound without a gesture, the device is gone, a clip cannot be had. */
  readonly stopped: (why: "locked" | "interrupted" | Error) => void;
  /** A passage has reached the ear, at that time of `performance.now()`. */
  readonly sounding: (passage: Passage, sampleRate: number, at: Seconds) => void;
};
