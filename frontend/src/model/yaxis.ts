/** The y axis: its range, which outliers do not squeeze, and its ticks. */

import type { Range } from "../units";
import type { Line } from "./curve";
import { lastNotAfter } from "./notes";

export type YAxis = { readonly low: number; readonly high: number; readonly log: boolean };

/** A line whose values count for the range: of a run that is compared, or of one behind these. */
export type Ranged = { readonly line: Line; readonly compared: boolean };

/** Where a line first leaves the range on one side, and the value that it goes to. */
export type Departure = { readonly x: number; readonly to: number };

export type Exit = {
  readonly above: Departure | null;
  readonly below: Departure | null;
  /** How many of its points are beyond. */
  readonly points: number;
};

const AIR = 0.06; // of the range, above and below what is drawn
const EVERYWHERE: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

const TAILS = 0.1; // of the values of a run, at either end, that may be outliers
const SAMPLES = 200; // points of a run that its percentiles are taken from
const START_DECADES = 4; // that a loss may come down from where it began
const BEHIND = { log: 1.5, linear: 5 }; // times as high may be what runs behind make of the range

/** The part of y that holds all points between two places on the x axis, with some air. */
export function wholeRange(lines: readonly Line[], log: boolean, seen: Range = EVERYWHERE): YAxis {
  return aired(hull(lines.map((line) => extent(line, seen))), log);
}

/**
 * The part of y that holds what the compared runs do, outliers aside.
 *
 * Values of a run beyond its 10th and 90th percentile of what is seen are outliers where they are
 * far from these; a run that is far above another compared one as a whole is left to leave the
 * picture. Where that would gain little, the range holds all.
 */
export function robustRange(
  runs: readonly Ranged[],
  log: boolean,
  seen: Range = EVERYWHERE,
): YAxis {
  const whole = hull(runs.map(({ line }) => extent(line, seen)));
  const inner = (compared: boolean) =>
    runs.flatMap((run) => (run.compared === compared ? bulk(run.line, log, seen) : []));
  const [compared, behind] = [inner(true), inner(false)];
  const own = withoutFar(compared.length > 0 ? compared : behind, log);
  if (own === null || whole === null) return aired(whole, log);
  const joined = (range: Range, other: Range) => {
    const wider = hull([range, other]) ?? range;
    return exceeds(wider, log ? BEHIND.log : BEHIND.linear, own, log) ? range : wider;
  };
  const kept = behind.reduce(joined, own);
  return aired(unsqueezed(whole, kept, log), log);
}

/** Where a line leaves a range, as far as it is seen; null where it does not. */
export function exitOf(line: Line, { low, high }: YAxis, seen: Range = EVERYWHERE): Exit | null {
  let above: Departure | null = null;
  let below: Departure | null = null;
  let points = 0;
  const { xs, min, max } = line;
  const [from, to] = seen;
  for (let at = 0; at < xs.length; at++) {
    const x = xs[at] ?? 0;
    const bottom = min[at] ?? null;
    const top = max[at] ?? null;
    if (bottom === null || top === null || x < from || x > to) continue;
    if (top > high) above = farther(above, x, top, Math.max);
    if (bottom < low) below = farther(below, x, bottom, Math.min);
    if (top > high || bottom < low) points++;
  }
  return points === 0 ? null : { above, below, points };
}

const farther = (
  known: Departure | null,
  x: number,
  value: number,
  furthest: (one: number, other: number) => number,
): Departure => ({ x: known?.x ?? x, to: furthest(known?.to ?? value, value) });

/** Round values to label, at least `space` pixels apart on an axis of so many pixels. */
export function yTicks({ low, high, log }: YAxis, pixels: number, space = 36): number[] {
  const most = Math.max(2, Math.floor(pixels / space));
  const ticks = log ? logTicks([low, high], most) : [];
  return ticks.length > 1 ? ticks : linearTicks([low, high], most);
}

/** At 1, 2 and 5 of each decade, or at every so many decades. */
export function logTicks([low, high]: Range, most = 7): number[] {
  const decades = Math.log10(high) - Math.log10(low);
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const stride = Math.max(1, Math.ceil(decades / most));
  const digits = 3 * decades <= most ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.ceil(first / stride) * stride; power <= last; power += stride) {
    ticks.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  return ticks.filter((tick) => low <= tick && tick <= high);
}

/** At multiples of 1, 2 or 5 times a power of ten, so many at most. */
export function linearTicks([low, high]: Range, most: number): number[] {
  const rough = high / most - low / most;
  if (!(rough > 0 && Number.isFinite(rough))) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((digit) => digit * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) =>
    Number(((first + at) * step).toPrecision(12)),
  );
}

/** How high a value lies: 0 at the bottom, 1 at the top. */
export const heightOf = ({ low, high, log }: YAxis, value: number): number =>
  log ? Math.log(value / low) / Math.log(high / low) : value / (high - low) - low / (high - low);

/** The values of a run without its outliers. */
function bulk(line: Line, log: boolean, seen: Range): Range[] {
  const [first, last] = indices(line, seen);
  const values: number[] = [];
  const stride = Math.max(1, Math.floor((last - first) / SAMPLES)); // this runs while one pans
  for (let at = first; at <= last; at += stride) {
    const min = line.min[at] ?? null;
    const max = line.max[at] ?? null;
    if (min !== null && max !== null) values.push(min, max);
  }
  if (values.length === 0) return [];
  const near = fence(values, log, TAILS);
  const start = line.max[0] ?? null;
  const began = log && first === 0 && start !== null && start < near[1] * 10 ** START_DECADES;
  const found = hull([extent(line, seen, near), began ? [start, start] : null]);
  return found === null ? [] : [found];
}

/** The points that are seen, and those to the left and right, which are seen as ends of lines. */
const indices = ({ xs }: Line, [from, to]: Range): Range => [
  Math.max(0, lastNotAfter(xs, from, xs.length)),
  Math.min(xs.length - 1, lastNotAfter(xs, to, xs.length) + 1),
];

/** The least and the greatest value of what is seen, of those within a range. */
function extent(line: Line, seen: Range, [least, most]: Range = EVERYWHERE): Range | null {
  const [first, last] = indices(line, seen);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at = first; at <= last; at++) {
    const min = line.min[at] ?? null;
    const max = line.max[at] ?? null;
    if (min === null || max === null) continue;
    if (min >= least && min <= most && min < low) low = min;
    if (max >= least && max <= most && max > high) high = max;
  }
  if (low <= high) return [low, high];
  // All minima or all maxima may be outside.
  if (low === Number.POSITIVE_INFINITY && high === Number.NEGATIVE_INFINITY) return null;
  return low === Number.POSITIVE_INFINITY ? [high, high] : [low, low];
}

function aired(range: Range | null, log: boolean): YAxis {
  const [low, high] = range ?? (log ? [0.1, 10] : [0, 1]);
  if (range === null) return { low, high, log };
  if (!log) return { ...linear(low, high), log };
  const air = (high / low) ** AIR;
  const [bottom, top] = air > 1 ? [low / air, high * air] : [low / 2, high * 2];
  // An axis must have room for its air within what numbers can be.
  return { low: Math.max(bottom, Number.MIN_VALUE), high: Math.min(top, Number.MAX_VALUE), log };
}

function linear(low: number, high: number): { low: number; high: number } {
  const air = Math.min(high - low, Number.MAX_VALUE / 4) * AIR || Math.abs(high) * AIR || AIR;
  // Losses are read against zero where zero is near.
  const bottom = low >= 0 && low <= 0.3 * high ? 0 : low - air;
  return { low: bottom, high: high + air };
}

const OUTLIER_SAMPLES = 400; // values of a run that its percentiles are taken from
const NEAR_DECADES = 0.5; // of a percentile: no outlier on a log axis

/** How many times the height of the rest the whole must have: for single values, and whole runs. */
const SQUEEZED = { log: 3, linear: 30 };
const FAR = { log: 3, linear: 1e4 };

/**
 * The range around a percentile and its opposite in which values are no outliers: as far again from
 * these as they are from one another.
 *
 * @param values any number of them, in any order; not empty
 * @param tails share of the values, at either end, that may be outliers
 */
export function fence(values: readonly number[], log: boolean, tails: number): Range {
  const stride = Math.floor(values.length / OUTLIER_SAMPLES) | 1; // odd, as minima and maxima may alternate
  const sample = Float64Array.from(values.filter((_, at) => at % stride === 0)).sort();
  const quantile = (share: number) => sample[Math.round(share * (sample.length - 1))] ?? 0;
  const [low, high] = [quantile(tails), quantile(1 - tails)];
  if (!log) return [2 * low - high, 2 * high - low];
  const factor = Math.max(high / low, 10 ** NEAR_DECADES);
  return [low / factor, high * factor];
}

/** The hull of the ranges of some runs, without the tops of those that are far above others. */
export function withoutFar(ranges: readonly Range[], log: boolean): Range | null {
  const [lowest, ...rest] = [...ranges].sort((one, other) => one[1] - other[1]);
  if (lowest === undefined) return null;
  const low = ranges.reduce((least, [each]) => Math.min(least, each), lowest[0]);
  const far = log ? FAR.log : FAR.linear;
  const high = rest.reduce(
    (top, [, each]) => (exceeds([low, each], far, [low, top], log) ? top : each),
    lowest[1],
  );
  return [low, high];
}

/** A range that leaves outliers out where that helps, else the whole. */
export const unsqueezed = (whole: Range, kept: Range, log: boolean): Range =>
  exceeds(whole, log ? SQUEEZED.log : SQUEEZED.linear, kept, log) ? kept : whole;

/** Whether a range is so many times as high as another; of one that is all zeros, none is. */
export const exceeds = (range: Range, times: number, other: Range, log: boolean): boolean =>
  (log || other[0] !== 0 || other[1] !== 0) && height(range, log) > times * height(other, log);

/** In decades, no less than one; on a linear axis, no less than from zero. */
const height = ([low, high]: Range, log: boolean): number =>
  log
    ? Math.max(Math.log10(high) - Math.log10(low), 1)
    : Math.max(high - low, Math.abs(high), Math.abs(low));

export function hull(ranges: readonly (Range | null)[]): Range | null {
  const known = ranges.filter((range) => range !== null);
  if (known.length === 0) return null;
  return [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))];
}
