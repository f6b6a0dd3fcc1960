/** Strips: the loss along steps of the optimizer, as a picture over steps, and in words. */

import { lastNotAfter } from "./notes";
import { formatStep, formatValue } from "./words";

/** One strip after another; each has as many samples as it was measured at. */
export type Strips = {
  readonly steps: Float64Array;
  /** The alpha of the smallest loss, and that at which the loss is back at what it was. */
  readonly floors: Float64Array;
  readonly headrooms: Float64Array;
  /** Index of the first sample of each and, at the end, their number. */
  readonly first: ArrayLike<number>;
  readonly alphas: Float64Array;
  readonly losses: Float64Array;
  /** How many there are, some of which may be left out. */
  readonly total: number;
};

/** How far ahead each row is, in steps of the optimizer, from behind to far ahead. */
export const alphasOf = ({ alphas }: Strips): number[] =>
  [...new Set(alphas)].sort((one, other) => one - other);

/** Linear to one step, then an equal height for each doubling. */
const heightOf = (alpha: number): number => {
  const size = Math.abs(alpha);
  return Math.sign(alpha) * (size <= 1 ? size : 1 + Math.log2(size));
};

/** Where alphas lie in a lane, in pixels from its top. */
export type AlphaScale = {
  readonly alphas: readonly number[];
  readonly y: (alpha: number) => number;
  /** The rows of `alphas`, the last one at the top. */
  readonly bands: readonly { readonly top: number; readonly bottom: number }[];
};

export function alphaScale(alphas: readonly number[], height: number): AlphaScale {
  const heights = alphas.map(heightOf);
  const between = heights.slice(1).map((each, at) => (each + (heights[at] ?? 0)) / 2);
  const [low = 0, high = 0] = [heights[0], heights.at(-1)];
  const [below = low, above = high] = [between[0], between.at(-1)];
  // The outermost rows reach as far beyond their alphas as within.
  const [bottom, top] = [low - (below - low), high + (high - above)];
  const perUnit = height / (top - bottom || 1);
  const y = (alpha: number) => (top - heightOf(alpha)) * perUnit;
  const edges = [bottom, ...between, top].map((each) => Math.round((top - each) * perUnit));
  const bands = alphas.map((_, at) => ({ top: edges[at + 1] ?? 0, bottom: edges[at] ?? height }));
  return { alphas, y, bands };
}

/** Index of the sample of a strip at an alpha, or that next to it; -1 where it was not measured. */
export function sampleAt({ alphas, first }: Strips, strip: number, alpha: number): number {
  const [from, to] = [first[strip] ?? 0, first[strip + 1] ?? 0];
  if (alpha < (alphas[from] ?? 0) || alpha > (alphas[to - 1] ?? 0)) return -1;
  let nearest = from;
  for (let at = from; at < to; at++) {
    const nearer = Math.abs((alphas[at] ?? 0) - alpha) < Math.abs((alphas[nearest] ?? 0) - alpha);
    if (nearer) nearest = at;
  }
  return nearest;
}

/** The loss before a step. */
export function lossHere(strips: Strips, strip: number): number {
  return strips.losses[sampleAt(strips, strip, 0)] ?? Number.NaN;
}

/** How much larger a loss is than another, as a share of that. */
const rise = (loss: number, here: number): number => (loss - here) / (Math.abs(here) || 1);

const TAIL = 0.05; // of the rises, that are beyond the scale
const DECADES = 3;

/** The rise that has the last colour. */
export function steepest(strips: Strips): number {
  const sizes: number[] = [];
  for (let strip = 0; strip < strips.steps.length; strip++) {
    const here = lossHere(strips, strip);
    for (let at = strips.first[strip] ?? 0; at < (strips.first[strip + 1] ?? 0); at++) {
      const size = Math.abs(rise(strips.losses[at] ?? Number.NaN, here));
      if (size > 0 && size < Number.POSITIVE_INFINITY) sizes.push(size);
    }
  }
  sizes.sort((one, other) => one - other);
  return sizes[Math.floor((1 - TAIL) * (sizes.length - 1))] ?? 1;
}

/** From -1, much lower than here, over 0 to 1, much higher; logarithmic either way, over three decades. */
export function shadeOf(loss: number, here: number, most: number): number {
  const by = rise(loss, here);
  if (!Number.isFinite(by)) return Number.isNaN(here) || !Number.isFinite(here) ? here : loss;
  const along = 1 + Math.log10(Math.abs(by) / most) / DECADES;
  return Math.sign(by) * Math.max(0, Math.min(1, along));
}

/** Where each strip begins on the axis and ends: at the next one, if that is not far. */
export function extentsOf({ steps }: Strips): (readonly [number, number])[] {
  const gaps = [...steps.subarray(1)].map((step, at) => step - (steps[at] ?? 0));
  const usual = [...gaps].sort((one, other) => one - other)[gaps.length >> 1] ?? 1;
  return [...steps].map((step, at) => [step, step + Math.min(gaps[at] ?? usual, 2 * usual)]);
}

/** The strip of each pixel; -1 where there is none. */
export function coverOf(strips: Strips, width: number, pixelAt: (step: number) => number) {
  const cover = new Int32Array(width).fill(-1);
  extentsOf(strips).forEach(([from, to], strip) => {
    const start = Math.round(pixelAt(from));
    const end = Math.max(start + 1, Math.round(pixelAt(to)));
    for (let x = Math.max(0, start); x < Math.min(width, end); x++) cover[x] = strip;
  });
  return cover;
}

/** The last strip that is not after a step; -1 before all. */
export const stripAt = ({ steps }: Strips, step: number): number =>
  lastNotAfter(steps, step, steps.length);

/** "2 steps ahead", "half a step ahead", "one step back", "here". */
export function alphaWords(alpha: number): string {
  const size = Math.abs(alpha);
  const steps =
    size === 0.5 ? "half a step" : size === 1 ? "one step" : `${formatValue(size)} steps`;
  return alpha === 0 ? "here" : `${steps} ${alpha > 0 ? "ahead" : "back"}`;
}

/** "2 steps ahead: loss 0.31, 12% above here". */
export function sampleWords(strips: Strips, strip: number, alpha: number): string {
  if (strip < 0) return `${alphaWords(alpha)}: no strip yet`;
  const at = sampleAt(strips, strip, alpha);
  const here = lossHere(strips, strip);
  if (at < 0) return `${alphaWords(alpha)}: not measured, as the loss was above here before`;
  const loss = strips.losses[at] ?? Number.NaN;
  const own = strips.alphas[at] ?? 0;
  return `${alphaWords(own)}: loss ${formatValue(loss)}${own === 0 ? "" : riseWords(loss, here)}`;
}

function riseWords(loss: number, here: number): string {
  const by = rise(loss, here);
  if (!Number.isFinite(by)) return "";
  if (by === 0) return ", as here";
  const size = Math.abs(by);
  const words =
    size < 10 ? `${Number((100 * size).toPrecision(2))}%` : `${formatValue(1 + size)} times`;
  return by > 0 ? `, ${words} above here` : `, ${words} below here`;
}

/** "loss 0.28 here; floor 1.6 steps ahead, headroom 3.2 steps". */
export function stripWords(strips: Strips, strip: number): string {
  if (strip < 0) return "no strip yet";
  const floor = strips.floors[strip] ?? Number.NaN;
  const here = lossHere(strips, strip);
  const valley = Number.isNaN(floor) ? "no finite loss" : `floor ${alphaWords(rounded(floor))}`;
  return `loss ${formatValue(here)} here; ${valley}; ${headroomWords(strips, strip)}`;
}

/** A value in so many figures. */
export const rounded = (value: number, figures = 2): number => Number(value.toPrecision(figures));

/** Whether the loss is back at what it was within what was measured. */
export function comesBack(strips: Strips, strip: number): boolean {
  const last = strips.alphas[(strips.first[strip + 1] ?? 0) - 1] ?? 0;
  return (strips.headrooms[strip] ?? Number.NaN) < last;
}

export function headroomWords(strips: Strips, strip: number): string {
  const headroom = strips.headrooms[strip] ?? Number.NaN;
  if (Number.isNaN(headroom)) return "not a number here";
  if (headroom === 0) return "the step leads uphill";
  const more = comesBack(strips, strip) ? "" : "more than ";
  return `headroom ${more}${formatValue(rounded(headroom))} steps`;
}

/** "step 412, half a step ahead: loss 0.31, ...". */
export const pointedWords = (strips: Strips, strip: number, alpha: number): string =>
  strip < 0
    ? "no strip here"
    : `step ${formatStep(strips.steps[strip] ?? 0)}, ${sampleWords(strips, strip, alpha)}; ${headroomWords(strips, strip)}`;
