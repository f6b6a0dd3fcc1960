/** Curves: smoothed, on a scale for the ear, as rows of a table, as readings of all runs at a step, and in small. */

import type { Range, Step } from "../units";
import type { Curve, Heatmap, Scale } from "./answers";
import { clamp, lastNotAfter } from "./notes";

const LINEAR_DECADES = 4; // of values that a linear axis can show; an explosion has more

/** What can be drawn of a value; a gap for the rest. */
export type Drawable = number | null;

export type Line = {
  /** Places on the axis, never decreasing. */
  readonly xs: readonly number[];
  readonly min: readonly Drawable[];
  readonly max: readonly Drawable[];
  /** The middle of both, smoothed; null where nothing is to be smoothed. */
  readonly smooth: readonly Drawable[] | null;
  /** Whether min and max differ anywhere. */
  readonly banded: boolean;
};

/** What is drawn of a curve, on a linear or a log axis; smoothed with a weight below 1. */
export function lineOf(
  curve: Curve,
  log: boolean,
  weight = 0,
  xAt: (step: Step) => number = (step) => step,
): Line {
  const drawable = (value: number): Drawable =>
    Number.isFinite(value) && (!log || value > 0) ? value : null;
  const max = Array.from(curve.max, drawable);
  // A bin whose smallest value cannot be drawn is drawn at its largest.
  const min = Array.from(curve.min, (value, bin) => drawable(value) ?? max[bin] ?? null);
  const middle = () =>
    max.map((value, bin) => (value === null ? null : (value + (min[bin] ?? value)) / 2));
  return {
    xs: Array.from(curve.steps, xAt),
    min,
    max,
    smooth: weight > 0 ? smoothed(middle(), weight) : null,
    banded: min.some((value, bin) => value !== max[bin]),
  };
}

/** Whether curves are flat lines on a linear axis, and all there is of them can be shown on a log one. */
export function needsLog(curves: readonly Curve[]): boolean {
  const finite = curves.flatMap(({ min, max }) => [...min, ...max]).filter(Number.isFinite);
  const low = finite.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const high = finite.reduce((one, other) => Math.max(one, other), 0);
  return low > 0 && high > low * 10 ** LINEAR_DECADES;
}

/** What a curve has at a step: the values of the last point that is not after it. */
export function valueAt(curve: Curve, step: Step): { min: number; max: number } | null {
  const bin = lastNotAfter(curve.steps, step, curve.steps.length);
  const min = curve.min[bin];
  const max = curve.max[bin];
  return min === undefined || max === undefined ? null : { min, max };
}

/** Where a curve is lowest or highest; null where it has no finite value. */
export function extremeOf(
  { steps, min, max }: Curve,
  which: "lowest" | "highest",
): { step: Step; value: number } | null {
  const [values, sign] = which === "lowest" ? [min, -1] : [max, 1];
  let best = -1;
  values.forEach((value, bin) => {
    const better = best < 0 || sign * value > sign * (values[best] ?? Number.NaN);
    if (Number.isFinite(value) && better) best = bin;
  });
  const [step, value] = [steps[best], values[best]];
  return step === undefined || value === undefined ? null : { step, value };
}

/** Stretches of steps in which a curve is NaN or infinite, each up to the next number. */
export function brokenSpans({ steps, max }: Curve): Range[] {
  const spans: [Step, Step][] = [];
  max.forEach((value, bin) => {
    const [step, before] = [steps[bin] ?? 0, max[bin - 1]];
    if (Number.isFinite(value)) return;
    if (before === undefined || Number.isFinite(before)) spans.push([step, step]);
    const last = spans.at(-1);
    if (last !== undefined) last[1] = steps[bin + 1] ?? step;
  });
  return spans;
}

/**
 * An exponential moving average as TensorBoard draws it: started without a bias towards zero, and
 * carried on over what is not a number, which stays what it is.
 *
 * @param weight of what came before, from 0, nothing is smoothed, to below 1
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight === 0) return [...values];
  let average = 0;
  let share = 1;
  return values.map((value) => {
    if (value === null) return null;
    average = average * weight + (1 - weight) * value;
    share *= weight;
    return average / (1 - share);
  });
}

const DECADE = 10;
const ROUND = [1, 2, 5, 10];

/** Log if all values are positive and span more than a decade, else linear; null without any. */
export function sharedScale(curves: readonly Curve[]): Scale | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { min, max } of curves) {
    for (const value of min) if (Number.isFinite(value)) low = Math.min(low, value);
    for (const value of max) if (Number.isFinite(value)) high = Math.max(high, value);
  }
  if (low > high) return null;
  if (low > 0 && high > DECADE * low) {
    return { kind: "log", low: roundDown(low), high: roundUp(high) };
  }
  const unit = 10 ** Math.floor(Math.log10(high - low || Math.abs(high) || 1));
  const [from, to] = [Math.floor(low / unit) * unit, Math.ceil(high / unit) * unit];
  return { kind: "linear", low: tidy(from), high: tidy(to > from ? to : from + unit) };
}

function roundUp(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  const digit = ROUND.find((each) => each * decade >= value * (1 - 1e-12)) ?? 10;
  return tidy(digit * decade);
}

function roundDown(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  const digit = [...ROUND].reverse().find((each) => each * decade <= value * (1 + 1e-12)) ?? 1;
  return tidy(digit * decade);
}

/** Without the dust of binary fractions, because it is said to people. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** The steps of several curves within a range, each once, in order. */
export function stepsIn(curves: readonly Curve[], [from, to]: Range): Float64Array {
  const all = curves.flatMap(({ steps }) => {
    const first = lastNotAfter(steps, from, steps.length);
    const start = steps[first] === from ? first : first + 1;
    return [...steps.subarray(start, lastNotAfter(steps, to, steps.length) + 1)];
  });
  return Float64Array.from(new Set(all)).sort();
}

/** What a curve has at exactly a step; null where it has no point there. */
export function pointAt(curve: Curve | null, step: Step): { min: number; max: number } | null {
  if (curve === null) return null;
  const bin = lastNotAfter(curve.steps, step, curve.steps.length);
  const [min, max] = [curve.min[bin], curve.max[bin]];
  const there = curve.steps[bin] === step && min !== undefined && max !== undefined;
  return there ? { min, max } : null;
}

/** The layer with the largest norm around a step: NaN before infinity before all numbers. */
export function worstLayer(
  { layers, from, to, columns, max }: Heatmap,
  step: Step,
): { layer: string; norm: number } | null {
  const column = Math.min(columns - 1, Math.floor((columns * (step - from)) / (to - from)));
  if (column < 0 || step > to) return null;
  let worst: { layer: string; norm: number } | null = null;
  layers.forEach((layer, at) => {
    const norm = max[column * layers.length + at] ?? -1;
    const known = worst?.norm ?? -1;
    const worse = Number.isNaN(norm) ? !Number.isNaN(known) : norm > known;
    if (worse) worst = { layer, norm };
  });
  return worst;
}

export const ROWS_PER_PAGE = 25;

export const pagesOf = (rows: number): number => Math.max(1, Math.ceil(rows / ROWS_PER_PAGE));

const SPARK_POINTS = 56;

/** A curve as the path of a small picture, from its 2nd to its 98th percentile: a spike leaves it. */
export function sparkOf(curve: Curve, width: number, height: number, log: boolean): string {
  const scale = (value: number) => (log ? Math.log(value) : value);
  const last = curve.steps.length - 1;
  const picked = Array.from({ length: Math.min(SPARK_POINTS, last + 1) }, (_, at) =>
    Math.round((at * last) / Math.max(1, Math.min(SPARK_POINTS, last + 1) - 1)),
  );
  const values = picked.map((at) => scale(curve.max[at] ?? Number.NaN));
  const known = values.filter(Number.isFinite).sort((one, other) => one - other);
  const [low, high] = [
    known[Math.floor(0.02 * known.length)],
    known[Math.floor(0.98 * known.length)],
  ];
  if (low === undefined || high === undefined) return "";
  const y = (value: number) =>
    1 + (height - 2) * (1 - clamp((value - low) / (high - low || 1), 0, 1));
  let path = "";
  values.forEach((value, at) => {
    if (!Number.isFinite(value)) return;
    const pen = path === "" || !Number.isFinite(values[at - 1]) ? "M" : "L";
    path += `${pen}${((at * width) / Math.max(1, values.length - 1)).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return path;
}

export type Crossing = { readonly step: Step; readonly above: boolean };

/** Where a curve gets above another one, or below it; where either is no number, nothing is crossed. */
export function crossingsOf(
  curve: Curve,
  otherAt: (step: Step) => number | null,
): readonly Crossing[] {
  const found: Crossing[] = [];
  let before = 0;
  curve.steps.forEach((step, bin) => {
    const side = Math.sign((curve.max[bin] ?? Number.NaN) - (otherAt(step) ?? Number.NaN));
    if (side !== 1 && side !== -1) return;
    if (before === -side) found.push({ step, above: side === 1 });
    before = side;
  });
  return found;
}

/** The next point of a curve that is higher, or lower, than where it is at a step. */
export function nextBeyond(
  curve: Curve,
  step: Step,
  which: "higher" | "lower",
): { step: Step; value: number } | null {
  const here = valueAt(curve, step)?.max ?? Number.NaN;
  const sign = which === "higher" ? 1 : -1;
  const from = lastNotAfter(curve.steps, step, curve.steps.length) + 1;
  for (let bin = from; bin < curve.steps.length; bin++) {
    const [at, value] = [curve.steps[bin], curve.max[bin]];
    if (at === undefined || value === undefined || !Number.isFinite(value)) continue;
    if (Number.isNaN(here) || sign * (value - here) > 0) return { step: at, value };
  }
  return null;
}

/** A curve, where its points lie on the x axis, and where the run ends on it. */
export type Laid = {
  readonly curve: Pick<Curve, "min" | "max">;
  readonly xs: readonly number[];
  readonly end: number;
};

export type Reading<Each> = {
  readonly of: Each;
  readonly min: number;
  readonly max: number;
  /** Less the value of the reference; null of itself, and where that has none. */
  readonly difference: number | null;
};

/** The values of runs at a place; those nearest to a value come first, by their distance to it. */
export function readingsAt<Each extends Laid>(
  runs: readonly Each[],
  x: number,
  reference: Each | null,
  distance: ((value: number) => number) | null,
): Reading<Each>[] {
  const from = reference === null ? null : valueAtX(reference, x);
  const found = runs.flatMap((of) => {
    const value = valueAtX(of, x);
    if (value === null) return [];
    const difference = from === null || of === reference ? null : value.max - from.max;
    return [{ of, ...value, difference }];
  });
  if (distance === null) return found;
  const far = ({ max }: Reading<Each>) => {
    const pixels = distance(max);
    return Number.isNaN(pixels) ? Number.MAX_VALUE : pixels;
  };
  return found.sort((one, other) => far(one) - far(other));
}

/** The values of the last point not after a place; null before the first and after the end. */
function valueAtX({ curve, xs, end }: Laid, x: number): { min: number; max: number } | null {
  const at = lastNotAfter(xs, x, xs.length);
  const [min, max] = [curve.min[at], curve.max[at]];
  return min === undefined || max === undefined || x > end ? null : { min, max };
}
