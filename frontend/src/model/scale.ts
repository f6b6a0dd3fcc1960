/** The one scale that scalars are heard on when they are compared; ends are round, so that it stays. */

import type { Curve } from "./answers";
import type { Scale } from "./view";

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
