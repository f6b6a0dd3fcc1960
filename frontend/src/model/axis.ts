/** The one x transform that everything drawn shares. */

import type { Range } from "../units";

export type Axis = {
  /** What is at the left and the right edge of the plot: steps, seconds, or a share of the run. */
  readonly from: number;
  readonly to: number;
  /** In CSS pixels, within the timeline. */
  readonly left: number;
  readonly width: number;
};

/** The smallest range around some values; null without any. */
export function hullOf(values: readonly (number | null | undefined)[]): Range | null {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  return from <= to ? [from, to] : null;
}

/** What can be seen of a range in another one: all of that where they do not meet. */
export function within([first, last]: Range, range: Range | null): Range {
  if (range === null) return [first, last];
  const [from, to] = [Math.max(first, range[0]), Math.min(last, range[1])];
  return from < to ? [from, to] : [first, last];
}

/** The pixel at which a place on the axis is. */
export const pixelOf = (axis: Axis, x: number): number =>
  axis.left + ((x - axis.from) / (axis.to - axis.from)) * axis.width;

/** The place on the axis at a pixel, held within what is seen. */
export function xOf(axis: Axis, pixel: number): number {
  const along = Math.max(0, Math.min(1, (pixel - axis.left) / axis.width));
  return axis.from + along * (axis.to - axis.from);
}

const MOST_TICKS = 7;

/** Where a log axis is labelled: at 1, 2 and 5 of each decade, or at every so many decades. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const stride = Math.ceil((last - first) / MOST_TICKS);
  const digits = 3 * (last - first) <= MOST_TICKS ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.ceil(first / stride) * stride; power <= last; power += stride) {
    ticks.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  return ticks.filter((tick) => low <= tick && tick <= high);
}
