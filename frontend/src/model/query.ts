/** What is asked of the server: which notes of a run, and how they are to sound. */

import type { Range } from "../units";
import type { Quantity } from "./quantity";

/** How a scalar becomes pitch: `low` sounds at 110 Hz, `high` at 1,760 Hz. */
export type Scale = {
  readonly kind: "log" | "linear";
  readonly low: number;
  readonly high: number;
};

/** What is heard instead of the norms, or beside them. */
export type Scalar = {
  readonly tag: string;
  /** The validation loss that is heard with this training loss; null where there is none. */
  readonly beside: string | null;
  readonly scale: Scale;
};

/** Notes of a run: its norms, or a scalar on a scale. */
export type NotesQuery = {
  readonly run: string;
  /** What the norms are of. */
  readonly quantity: Quantity;
  /** The scalar to be heard instead of the norms. */
  readonly scalar: Scalar | null;
  /** The run on whose notes it is laid; null: it has its own. */
  readonly along: Alignment | null;
  /** The steps, of that run if there is one, between which every row is a note by itself. */
  readonly rows: Range | null;
  /** How many notes are one: 1, 2, 4, ... */
  readonly together: number;
  /** Notes per second; null: the preset's own. */
  readonly speed: number | null;
};

export type Alignment = {
  readonly run: string;
  readonly by: "step" | "time" | "fraction";
  /** The scalar whose points are the notes of that run, where it has no norms. */
  readonly tag: string | null;
};

/** How it is to sound, beside preset and streams. */
export type Sound = {
  readonly speed: number | null;
  readonly together: number;
  /** Semitones for each doubling. */
  readonly zoom: PitchZoom;
  /** Whether a quiet tone marks what is at 440 Hz. */
  readonly reference: boolean;
};

export type PitchZoom = 1 | 2 | 4;

export const PLAIN: Sound = { speed: null, together: 1, zoom: 1, reference: false };

export const SPEEDS: readonly (number | null)[] = [5, 10, null, 25, 32];
export const TOGETHER: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
export const PITCH_ZOOMS: readonly PitchZoom[] = [1, 2, 4];
