/** The one x transform that curve, coverage band and playhead share. */

import type { Range, Step } from "../units";
import type { Coverage, Curve } from "./answers";

export type Axis = {
  /** Steps at the left and the right edge of the plot. */
  readonly from: Step;
  readonly to: Step;
  /** In CSS pixels, within the timeline. */
  readonly left: number;
  readonly width: number;
};

/** All steps that are drawn or can be heard. */
export function domainOf(curves: readonly Curve[], coverages: readonly Coverage[]): [Step, Step] {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const ends = [...curves, ...coverages].map(({ steps }) => [steps[0], steps.at(-1)]);
  for (const step of [...ends.flat(), ...curves.map(({ lastStep }) => lastStep)]) {
    if (step === undefined || step === null) continue;
    from = Math.min(from, step);
    to = Math.max(to, step);
  }
  if (from > to) return [0, 1];
  return from < to ? [from, to] : [from - 0.5, to + 0.5];
}

/** What can be seen of a range in another one: all of that where they do not meet. */
export function within([first, last]: Range, range: Range | null): Range {
  if (range === null) return [first, last];
  const [from, to] = [Math.max(first, range[0]), Math.min(last, range[1])];
  return from < to ? [from, to] : [first, last];
}

/** The pixel at which a step is. */
export const pixelOf = (axis: Axis, step: Step): number =>
  axis.left + ((step - axis.from) / (axis.to - axis.from)) * axis.width;

/** The step at a pixel, held within what is seen. */
export function stepOf(axis: Axis, pixel: number): Step {
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
