/** Ranges by robust statistics: what most of some values do, when a few are far away. */

import type { Range } from "../units";

const SAMPLES = 400; // values of a run that its percentiles are taken from
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
  const stride = Math.floor(values.length / SAMPLES) | 1; // odd, as minima and maxima may alternate
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
