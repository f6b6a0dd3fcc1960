/** What all drawn runs have at one place on the x axis, for the crosshair. */

import type { Curve } from "./answers";
import { lastNotAfter } from "./notes";

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
