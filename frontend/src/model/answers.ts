/** What is asked of the server, and what it answers. */

import type { Range, SampleFrame, Side, Step } from "../units";
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

export type Run = {
  readonly name: string;
  /** In seconds since the epoch. */
  readonly startTime: number | null;
  readonly hasNorms: boolean;
  /** Of what; empty where it has none. */
  readonly quantities: readonly Quantity[];
  /** Of the loss landscape: whether there are strips, and the names of the surfaces. */
  readonly hasStrips: boolean;
  readonly surfaces: readonly string[];
  /** Why its norms cannot be read, and what to do; null where nothing is wrong. */
  readonly trouble: string | null;
  /** The side that it is to be compared on, unless somebody chooses another run. */
  readonly compared: Side | null;
};

/** What is there, in a few letters each: others mean that it has changed. */
export type Newest = {
  /** Which runs there are. */
  readonly runs: string;
  /** How far each run that was asked for has got. */
  readonly states: readonly Reached[];
};

/** In norms, and in the points of a scalar; null where there are none. */
export type Reached = { readonly norms: string | null; readonly points: string | null };

/** Layers that are heard as one voice. */
export type Stream = { readonly name: string; readonly layers: readonly string[] };

export type Scalars = {
  readonly scalars: readonly string[];
  /** The tag to draw first. */
  readonly loss: string | null;
  /** Training losses, and the validation loss of each. */
  readonly pairs: readonly (readonly [string, string])[];
};

export type Curve = {
  readonly tag: string;
  /** First step of each bin, strictly increasing. */
  readonly steps: Float64Array;
  /** In seconds since the epoch. */
  readonly times: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly lastStep: Step | null;
};

/** Where a run stands in a scalar. */
export type Summary = {
  readonly lastStep: Step;
  readonly lastValue: number;
  /** Milliseconds since the last point was written, when this was answered. */
  readonly age: number;
  /** Whether its writer was closed after that point; false where nobody can tell. */
  readonly ended: boolean;
  /** Of the first NaN or infinity; null where there is none. */
  readonly brokenAt: Step | null;
  /** That value; NaN where there is none. */
  readonly brokenValue: number;
  readonly points: number;
  /** How many of the points are finite. */
  readonly finite: number;
};

/** By the names of the runs. */
export type Summaries = ReadonlyMap<string, Summary>;

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
  /** How many streams it makes of the layers. */
  readonly streams: number;
  /** Whether it can be slower or faster. */
  readonly takesSpeed: boolean;
  /** Whether pitch can be zoomed and streams be silenced. */
  readonly takesZoom: boolean;
};

export type Segment = {
  readonly firstNote: number;
  readonly notes: number;
  /** Another one means another sound. */
  readonly digest: string;
  /** Made from rows: more notes may come. */
  readonly open: boolean;
};

export type Coverage = {
  /** What stands for the notes that stay as they are: these need not be sent again. */
  readonly key: string;
  readonly layers: readonly string[];
  readonly streams: readonly Stream[];
  /** First step of each note and, at the end, the last step of all; empty without notes. */
  readonly steps: Float64Array;
  /** Wall time of each of `steps`, in seconds since the epoch. */
  readonly times: Float64Array;
  /** Fewest and most rows in a note. */
  readonly rowsPerNote: readonly [number, number];
  /** How a scalar is heard; null: these are norms. */
  readonly scale: Scale | null;
  readonly segments: readonly Segment[];
  readonly presets: readonly Preset[];
  /** Files in which the sound can be had. */
  readonly formats: readonly string[];
  /** Steps that were logged and cannot be read. */
  readonly missing: readonly (readonly [Step, Step])[];
  /** Steps that are known from scalars of which TensorBoard has kept a part. */
  readonly sampled: readonly (readonly [Step, Step])[];
  /** How many points of a scalar it keeps; null: all. */
  readonly pointsKept: number | null;
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

/** Largest norm of each layer in columns of equal step width, one row of `layers` per column. */
export type Heatmap = {
  readonly layers: readonly string[];
  readonly from: Step;
  readonly to: Step;
  readonly columns: number;
  /** NaN, Infinity; -1 where nothing is. */
  readonly max: ArrayLike<number>;
  /** Smallest positive and largest finite norm of the whole run. */
  readonly low: number | null;
  readonly high: number | null;
};

/** A few numbers of one layer over a stretch of steps. */
export type LayerNumbers = {
  readonly layer: string;
  /** Of finite norms; null where there are none. */
  readonly min: number | null;
  readonly median: number | null;
  readonly max: number | null;
  /** How many rows are NaN, infinite. */
  readonly nan: number;
  readonly inf: number;
  readonly stepOfMax: Step | null;
};

export type LayerTable = {
  readonly layers: readonly LayerNumbers[];
  /** Most rows that one note sums up. */
  readonly mostRows: number;
};

/** How far a run has got, and what broke in it. */
export type RunState = {
  readonly run: string;
  /** Of its norms; null where it has none, or was not looked into yet. */
  readonly lastStep: Step | null;
  /** Of what was written last, also where it was not looked into yet. */
  readonly newestStep: Step;
  /** When it was written last, by the clock of whoever wrote it, in seconds since the epoch. */
  readonly lastTime: number;
  /** Milliseconds since then, when this was answered. */
  readonly age: number;
  /** Whether its writer was closed and nothing was written since. */
  readonly ended: boolean;
  /** The first of each kind, the most severe first; null where it was not looked into yet. */
  readonly problems: readonly Landmark[] | null;
};

/** Something in a run to jump to. */
export type Landmark = {
  readonly kind: string;
  readonly step: Step;
  readonly layer: string | null;
  /** Reads on from "step 12: ". */
  readonly sentence: string;
};

/** A sound, and what it means. */
export type Lesson = { readonly name: string; readonly meaning: string };
