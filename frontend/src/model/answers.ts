/** What the plugin answers, as the rest of the dashboard knows it. */

import type { SampleFrame, Step } from "../units";

export type Run = {
  readonly name: string;
  /** In seconds since the epoch. */
  readonly startTime: number | null;
  readonly hasNorms: boolean;
};

/** Layers that are heard as one voice. */
export type Stream = { readonly name: string; readonly layers: readonly string[] };

export type Signals = {
  readonly scalars: readonly string[];
  /** The tag to draw first. */
  readonly loss: string | null;
};

export type Curve = {
  readonly tag: string;
  /** First step of each bin, strictly increasing. */
  readonly steps: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly lastStep: Step | null;
};

export type Preset = {
  readonly name: string;
  readonly title: string;
  /** In Hz. */
  readonly sampleRate: number;
  /** Sample frames from one note to the next. */
  readonly hop: SampleFrame;
  /** Sample frames for which a clip goes on after its last note. */
  readonly tail: SampleFrame;
  readonly channels: number;
};

export type Segment = {
  readonly firstNote: number;
  readonly notes: number;
  readonly rowsPerNote: number;
  /** Made from rows: more notes may come. */
  readonly open: boolean;
};

export type Coverage = {
  readonly layers: readonly string[];
  readonly streams: readonly Stream[];
  /** First step of each note and, at the end, the last step of all; empty without notes. */
  readonly steps: Float64Array;
  readonly segments: readonly Segment[];
  readonly presets: readonly Preset[];
  /** Steps that were logged and cannot be read. */
  readonly missing: readonly (readonly [Step, Step])[];
};

/** The numbers behind the sound; tables have one row per note and one column per layer. */
export type NoteTable = {
  readonly firstNote: number;
  readonly notes: number;
  readonly layers: readonly string[];
  /** Over the finite norms of a note; -1 where there is none. */
  readonly median: ArrayLike<number>;
  readonly max: ArrayLike<number>;
  /** How many rows of a note are NaN, infinite. */
  readonly nan: ArrayLike<number>;
  readonly inf: ArrayLike<number>;
};
