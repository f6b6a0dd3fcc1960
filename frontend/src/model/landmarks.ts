/** Landmarks: as sentences, as flags that do not overlap, as the story of a run; and how much of it is said. */

import type { Step } from "../units";
import type { Landmark } from "./answers";
import { factorWords, formatRange, formatStep, formatValue, spokenName } from "./words";

export type Place = {
  readonly run: string | null;
  readonly step: Step;
  readonly tag: string | null;
  /** The drawn tag there; null where the run has no value yet. */
  readonly value: { readonly min: number; readonly max: number } | null;
  /** The validation loss there, of a training loss that has one. */
  readonly beside?: Pick<Place, "tag" | "value">;
};

/** All of a place: "sgd-0.1, step 1,240, loss/train 0.482". */
export function describePlace(place: Place): string {
  const beside = place.beside === undefined ? "" : valueWords(place.beside);
  return join([runWords(place), stepWords(place), valueWords(place), beside]);
}

/** A place reached from another one: run and tag are said only where they change. */
export function describeMove(from: Place, to: Place): string {
  const sameRun = from.run === to.run;
  const sameTag = from.tag === to.tag;
  const value = sameTag && to.value !== null ? formatRange(to.value) : valueWords(to);
  const change = sameRun && sameTag ? changeWords(from, to) : "";
  return join([sameRun ? "" : runWords(to), stepWords(to), value, change]);
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== "").join(", ");

const runWords = ({ run }: Place): string => (run === null ? "" : spokenName(run));

const stepWords = ({ step }: Place): string => `step ${formatStep(step)}`;

const valueWords = ({ tag, value }: Pick<Place, "tag" | "value">): string =>
  tag === null || value === null ? "" : `${spokenName(tag)} ${formatRange(value)}`;

/** "up 12 %", or from a doubling on "up by a factor of 96,000": a percentage of millions says less. */
function changeWords(from: Place, to: Place): string {
  if (from.value === null || to.value === null) return "";
  const [before, now] = [from.value.max, to.value.max];
  const factor = now / before;
  if (before > 0 && now > 0 && (factor > 2 || factor < 1 / 2))
    return `${factor > 1 ? "up" : "down"} by ${factorWords(Math.max(factor, 1 / factor))}`;
  const percent = Math.round((100 * (now - before)) / Math.abs(before));
  if (!Number.isFinite(percent) || percent === 0 || Math.abs(percent) > 1_000) return "";
  return percent > 0 ? `up ${percent} %` : `down ${-percent} %`;
}

const GLYPHS: Readonly<Record<string, string>> = {
  nan: "✕",
  inf: "∞",
  explosion: "▲",
  divergence: "△",
  overfitting: "⋎",
  collapse: "▼",
  spike: "◆",
  drift: "↗",
  outgrowing: "↥",
  edge: "∧",
  leaving: "↕",
  unusual: "◇",
  vanishing: "◣",
  plateau: "▬",
  escape: "◢",
  parting: "≠",
  restart: "↺",
  schedule: "∿",
  scale: "×",
  skip: "↷",
  epoch: "│",
  checkpoint: "⚑",
};

/** Kinds of landmarks, the most severe first. */
export const KINDS: readonly string[] = Object.keys(GLYPHS);

/** A kind as a noun that reads on as "at step 12". */
export const kindWords = (kind: string): string => ({ nan: "NaN", inf: "infinity" })[kind] ?? kind;

export const glyphOf = (kind: string): string => GLYPHS[kind] ?? "●";

/** "step 12: NaN, first in fc1". */
export const eventWords = ({ step, sentence }: Landmark): string =>
  `step ${formatStep(step)}: ${sentence}`;

/** The first of some landmarks after a step, or the last one before it; in order of step. */
export function neighbour<Each extends { readonly step: Step }>(
  landmarks: readonly Each[],
  step: Step,
  direction: 1 | -1,
): Each | undefined {
  return direction === 1
    ? landmarks.find((each) => each.step > step)
    : landmarks.findLast((each) => each.step < step);
}

export type Topic =
  /** Playing cannot go on, or goes on otherwise than asked for. */
  | "trouble"
  /** A run has been heard to its end. */
  | "end"
  /** A NaN, a spike or the like has been passed. */
  | "landmark"
  /** A run broke, while it is watched, whether it plays or not. */
  | "problem"
  /** A run began, stalled, ended. */
  | "run"
  /** A point has come of a run that is monitored. */
  | "newest"
  /** Another tenth of the run has been heard. */
  | "progress"
  /** The loop, or the live end, is gone to once more. */
  | "round";

export type Verbosity = "off" | "tenths" | "events" | "verbose";

export const VERBOSITIES: readonly Verbosity[] = ["off", "tenths", "events", "verbose"];

export const VERBOSITY_TITLES: Readonly<Record<Verbosity, string>> = {
  off: "nothing by itself",
  tenths: "every 10 %",
  events: "what happens",
  verbose: "all of it",
};

const SAID: Readonly<Record<Verbosity, readonly Topic[]>> = {
  off: ["trouble", "newest"],
  tenths: ["trouble", "newest", "problem", "run", "end", "progress"],
  events: ["trouble", "newest", "problem", "run", "end", "landmark"],
  verbose: ["trouble", "newest", "problem", "run", "end", "landmark", "progress", "round"],
};

/** Of these, only the latest is of interest. */
export const PASSING: readonly Topic[] = ["newest", "progress", "round"];

export const isSaid = (topic: Topic, verbosity: Verbosity): boolean =>
  SAID[verbosity].includes(topic);

export const readVerbosity = (text: string | null): Verbosity =>
  VERBOSITIES.find((each) => each === text) ?? "events";

/** Something that has happened, and how many times in a row. */
export type Entry = { readonly number: number; readonly text: string; readonly times: number };

const MOST_ENTRIES = 50;

/** A log with one more entry; what happens again and again is one. */
export function logged(log: readonly Entry[], text: string): readonly Entry[] {
  const last = log.at(-1);
  if (last?.text === text) return [...log.slice(0, -1), { ...last, times: last.times + 1 }];
  return [...log, { number: (last?.number ?? 0) + 1, text, times: 1 }].slice(-MOST_ENTRIES);
}

/** Which tenth of a range a step is in, from 0 to 10. */
export function tenthAt(step: number, [from, to]: readonly [number, number]): number {
  return from < to ? Math.floor((10 * (step - from)) / (to - from) + 1e-9) : 0;
}

/** One or several landmarks at about the same pixel. */
export type Flag<Each> = {
  readonly items: readonly Each[];
  /** Of the first of them. */
  readonly pixel: number;
  /** In pixels, up to the next flag or the end. */
  readonly room: number;
};

const LEAST = 26; // pixels: a glyph, or a count, with its edge

/** Flags from left to right, none closer than so many pixels to the next. */
export function flagsOf<Each>(
  items: readonly Each[],
  pixelOf: (item: Each) => number,
  end: number,
  least = LEAST,
): Flag<Each>[] {
  const placed = items.map((item) => ({ item, pixel: pixelOf(item) }));
  placed.sort((one, other) => one.pixel - other.pixel);
  const groups: { items: Each[]; pixel: number }[] = [];
  for (const { item, pixel } of placed) {
    const last = groups.at(-1);
    if (last !== undefined && pixel < last.pixel + least) last.items.push(item);
    else groups.push({ items: [item], pixel });
  }
  return groups.map((group, at) => ({
    ...group,
    room: (groups[at + 1]?.pixel ?? Math.max(end, group.pixel + least)) - group.pixel,
  }));
}

export type Clause = {
  readonly words: string;
  /** Where it happened; null: it has no moment of its own. */
  readonly moment: Landmark | null;
};

/** Where a curve begins, where it is lowest, and where it stands. */
export type Course = {
  readonly first: number;
  readonly last: number;
  readonly best: { readonly step: number; readonly value: number; readonly words: string } | null;
};

const VERBS: Readonly<Record<string, string>> = {
  nan: "turns to NaN",
  inf: "turns to infinity",
  explosion: "explodes",
  divergence: "diverges",
  overfitting: "overfits",
  collapse: "collapses",
  spike: "spikes",
  outgrowing: "outgrows the others",
  leaving: "leaves its range",
  vanishing: "vanishes",
  restart: "starts again",
};

const BROKEN: readonly string[] = ["nan", "inf", "explosion", "divergence", "collapse"];
const MOST_CLAUSES = 3;

/**
 * The first moment of each kind that breaks a run or bends its course, in order of step; for a run
 * in which nothing has broken, first how its curve went.
 */
export function storyOf(landmarks: readonly Landmark[], course: Course | null): Clause[] {
  const kinds = KINDS.filter((kind) => kind in VERBS);
  const firsts = kinds.flatMap((kind) => landmarks.find((each) => each.kind === kind) ?? []);
  const told = firsts.slice(0, MOST_CLAUSES).sort((one, other) => one.step - other.step);
  const clauses = told.map((moment) => ({ words: wordsOf(moment), moment }));
  const broken = told.some(({ kind }) => BROKEN.includes(kind));
  return broken || course === null ? clauses : [...courseClauses(course), ...clauses].slice(0, 4);
}

/** "explodes at step 1 in conv2". */
function wordsOf({ kind, step, layer }: Landmark): string {
  const where = layer === null ? "" : ` in ${layer}`;
  return `${VERBS[kind]} at step ${formatStep(step)}${where}`;
}

function courseClauses({ first, last, best }: Course): Clause[] {
  const went = { words: `${formatValue(first)} → ${formatValue(last)}`, moment: null };
  if (best === null) return [went];
  const words = `${best.words} ${formatValue(best.value)} at step ${formatStep(best.step)}`;
  const moment = { kind: "best", step: best.step, layer: null, sentence: best.words };
  return [went, { words, moment }];
}
