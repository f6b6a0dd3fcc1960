/** Numbers that mean different things, named where they pass from hand to hand. */

/** Training step. Fractional between two notes. */
export type Step = number;

/** Sample frame, counted from the start of a run, a clip, or the audio context. */
export type SampleFrame = number;

export type Seconds = number;

/** One of the two places that a run can be put in to be compared. */
export type Side = "a" | "b";

/** From and to, of whatever it says. */
export type Range = readonly [number, number];

export const SIDES: readonly Side[] = ["a", "b"];

export const otherSide = (side: Side): Side => (side === "a" ? "b" : "a");
