/** What the person has chosen; most of it is kept between visits. */

import { signal } from "@preact/signals";
import { PLAIN, type Sound } from "../model/answers";
import type { Measure } from "../model/axis";
import { type KeyChoice, readKeyChoice } from "../model/keys";
import { readVerbosity, VERBOSITIES, type Verbosity } from "../model/landmarks";
import { clamp } from "../model/notes";
import { QUANTITIES, type Quantity } from "../model/quantity";
import type { Sides, Sort } from "../model/runs";
import type { Range, Side } from "../units";

const PREFIX = "tb_sonify.";
const MOST_NUMBERS = 1_000;

export function recall(name: string): string | null {
  try {
    return window.localStorage.getItem(PREFIX + name);
  } catch {
    return null; // storage is blocked in some frames, and nothing depends on it
  }
}

export function remember(name: string, value: string): void {
  try {
    window.localStorage.setItem(PREFIX + name, value);
  } catch {
    // As above: the setting holds until the page is closed.
  }
}

/** By this name it is remembered that somebody has listened here before. */
export const LISTENED = "listened";

/** Numbers by name; what is not such a thing is not taken. */
export function recallNumbers(name: string): ReadonlyMap<string, number> {
  try {
    const entries: unknown[] = JSON.parse(recall(name) ?? "[]");
    return new Map(entries.filter(isNumberByName));
  } catch {
    return new Map();
  }
}

export const rememberNumbers = (name: string, numbers: ReadonlyMap<string, number>): void =>
  remember(name, JSON.stringify([...numbers].slice(-MOST_NUMBERS)));

const isNumberByName = (entry: unknown): entry is [string, number] =>
  Array.isArray(entry) && typeof entry[0] === "string" && Number.isFinite(entry[1]);

export type Listening = "one" | "both" | "blink";

const QUIET = 0.5; // as a gain, a quarter: the first sound must not startle

export const chosenSides = signal<Sides>({ a: null, b: null });
/** The run that is heard; where both are, the one whose steps the playhead follows. */
export const hearing = signal<Side>("a");
/** One run, both at once, or both by turns. */
export const listening = signal<Listening>("one");
/** What is to be heard and seen of the layers. */
export const chosenQuantity = signal<Quantity>(
  QUANTITIES.find((each) => each === recall("quantity")) ?? "gradient",
);
/** Whether the drawn curve is heard beside the norms. */
export const curveHeard = signal(false);

/** Runs that are heard alone, that are not heard; gains in dB; pans from -1 to 1, null: by itself. */
export const soloed = signal<ReadonlySet<string>>(new Set());
export const mutedRuns = signal<ReadonlySet<string>>(new Set());
export const gains = signal<ReadonlyMap<string, number>>(recallNumbers("gains"));
export const pans = signal<ReadonlyMap<string, number | null>>(new Map());
export const mono = signal(recall("mono") === "true");

/** Steps that are played again and again while `looping`. */
export const loop = signal<Range | null>(null);
export const looping = signal(false);
/** Places on the axis between which the pointer is being drawn, and what for. */
export const stretch = signal<{ readonly range: Range; readonly wanted: "zoom" | "loop" } | null>(
  null,
);
/** Whether to stay at the end of a run that is being trained. */
export const following = signal(false);
/** Whether the newest point of the run that is heard is said as it comes. */
export const monitoring = signal(false);

/** The runs whose curves are drawn beside those of A and B; null: a handful. */
export const chosenShown = signal<ReadonlySet<string> | null>(null);

/** What is looked for among the names of runs, and how they are sorted. */
export const searched = signal("");
export const sort = signal<Sort>("name");

export const chosenTag = signal<string | null>(null);
/** Whether the y axis is to be logarithmic; null: as the curves ask for. */
export const chosenLog = signal<boolean | null>(null);
/** Whether the y axis reaches to all points, also to outliers that leave little room for the rest. */
export const outliersShown = signal(recall("outliers") === "true");

export function showOutliers(on: boolean): void {
  outliersShown.value = on;
  remember("outliers", String(on));
}

/** What lies along x. */
export const measure = signal<Measure>("step");
/** How much curves are smoothed, as in TensorBoard: 0, not at all, to 0.99. */
export const smoothing = signal(clamp(Number(recall("smoothing") ?? 0) || 0, 0, 0.99));
/** The part of the axis that is seen; null: all of it. */
export const viewport = signal<Range | null>(null);

export const chosenPreset = signal<string | null>(recall("preset"));
export const sound = signal<Sound>(PLAIN);
/** Streams that are not heard, by name. */
export const mutedStreams = signal<ReadonlySet<string>>(new Set());
/** Streams, and the drawn curve, that are heard alone. */
export const soloedStreams = signal<ReadonlySet<string>>(new Set());
export const volume = signal(clamp(Number(recall("volume") ?? QUIET) || 0, 0, 1));

/** The row of the lanes that can be read, by its key; null: none was ever chosen. */
export const focusedRow = signal<string | null>(null);
/** Whether modules are one row, where the person has said. */
export const closedModules = signal<ReadonlyMap<string, boolean>>(new Map());
export const rowOrder = signal<"depth" | "largest">("depth");
/** What the names of the layers that are shown have in them. */
export const layerFilter = signal("");
export const differenceWanted = signal(false);
/** What is read below the curve: it in braille, or the last message. */
export const reviewField = signal<"text" | "braille" | null>(null);
/** What is open over the screen. */
export const dialog = signal<"help" | "options" | "describe" | "palette" | "goTo" | null>(null);
export const PANELS = [
  "values",
  "layers",
  "landmarks",
  "landscape",
  "table",
  "log",
  "key",
] as const;
export type Panel = (typeof PANELS)[number];

/** The panel that is open at the foot of the screen. */
export const drawer = signal<Panel | null>(
  PANELS.find((each) => each === recall("drawer")) ?? null,
);

export function openDrawer(panel: Panel | null): void {
  drawer.value = panel;
  remember("drawer", panel ?? "");
}

export const keyChoice = signal<KeyChoice>(readKeyChoice(recall("keys")));

/** What is said by itself. */
export const verbosity = signal<Verbosity>(readVerbosity(recall("verbosity")));
/** Whether the sound gives way to speech. */
export const quieter = signal(recall("quieter") === "true");
/** How much later than the browser knows the sound is at the ear, in ms: of wireless headphones. */
export const DELAYS = [-200, 500] as const;
export const delay = signal(delayOf(Number(recall("delay"))));

export function chooseKeys(choice: KeyChoice): void {
  keyChoice.value = choice;
  remember("keys", JSON.stringify(choice));
}

export function chooseVerbosity(chosen: Verbosity): void {
  verbosity.value = chosen;
  remember("verbosity", chosen);
}

export function nextVerbosity(): Verbosity {
  const at = VERBOSITIES.indexOf(verbosity.value);
  return VERBOSITIES[(at + 1) % VERBOSITIES.length] ?? "events";
}

export function setQuieter(on: boolean): void {
  quieter.value = on;
  remember("quieter", String(on));
}

export function setMono(on: boolean): void {
  mono.value = on;
  remember("mono", String(on));
}

export function setDelay(milliseconds: number): void {
  delay.value = delayOf(milliseconds);
  remember("delay", String(delay.value));
}

function delayOf(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? clamp(Math.round(milliseconds), ...DELAYS) : 0;
}
