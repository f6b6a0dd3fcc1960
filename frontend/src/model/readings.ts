/** What all drawn runs have at one place on the x axis, for the crosshair. */

import { lastNotAfter } from "./notes";

/** A curve on the x axis. */
export type Plotted = {
  readonly xs: ArrayLike<number>;
  readonly min: ArrayLike<number>;
  readonly max: ArrayLike<number>;
  /** What the run is known to have got to, where that is beyond its last point. */
  readonly end: number;
};

export type Reading<Each> = {
  readonly of: Each;
  readonly min: number;
  readonly max: number;
  /** Less the value of A; null where that has none. */
  readonly difference: number | null;
};

/** The values of runs there, the nearest to a height first; where none is given, in their order. */
export function readingsAt<Each extends { readonly curve: Plotted }>(
  runs: readonly Each[],
  x: number,
  reference: Each | null,
  distance: ((value: number) => number) | null,
): Reading<Each>[] {
  const from = reference === null ? null : valueAtX(reference.curve, x);
  const found = runs.flatMap((of) => {
    const value = valueAtX(of.curve, x);
    if (value === null) return [];
    const difference = from === null || of === reference ? null : value.max - from.max;
    return [{ of, ...value, difference }];
  });
  if (distance === null) return found;
  const far = ({ max }: Reading<Each>) => (Number.isNaN(max) ? Number.MAX_VALUE : distance(max));
  return found.sort((one, other) => far(one) - far(other));
}

/** The values of the last point not after a place; null before the first and after the end. */
function valueAtX({ xs, min, max, end }: Plotted, x: number): { min: number; max: number } | null {
  const at = lastNotAfter(xs, x, xs.length);
  const [low, high] = [min[at], max[at]];
  return low === undefined || high === undefined || x > end ? null : { min: low, max: high };
}
