/** A curve as a line of braille. */

import type { Range, Step } from "../units";
import type { Curve } from "./answers";
import { lastNotAfter } from "./notes";

export const CELLS = 40;
const POINTS = 2; // in a cell, side by side
const LAST = CELLS * POINTS - 1; // has the last step, too
const EMPTY = 0x2800;
/** The dots of the left and of the right point, from the top. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const FULL = "⣿";

type Point = { min: number; max: number; nan: boolean } | null;

/**
 * A curve between two steps in 40 braille cells of two points, each from its lowest to its highest
 * value in four rows. A cell with a value that is no number is full, one without values is empty.
 */
export function brailleOf(curve: Curve, [from, to]: Range, log: boolean): string {
  const width = (to - from) / (CELLS * POINTS);
  const scaled = (value: number) => (log ? Math.log(Math.max(value, 1e-300)) : value);
  const points = Array.from(
    { length: CELLS * POINTS },
    (_, at): Point =>
      pointsIn(curve, from + at * width, at === LAST ? to + width : from + (at + 1) * width),
  );
  const values = points.flatMap((point) => (point === null ? [] : [point.min, point.max]));
  const finite = values.filter(Number.isFinite).map(scaled);
  const low = finite.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const high = finite.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
  const rowOf = (value: number) =>
    high > low ? 3 - Math.round((3 * (scaled(value) - low)) / (high - low)) : 2;
  const cellOf = (cell: number) => {
    const own = [points[POINTS * cell] ?? null, points[POINTS * cell + 1] ?? null];
    if (own.some((point) => point?.nan)) return FULL;
    const dots = own.map((point, column) => {
      if (point === null) return 0;
      const [top, bottom] = [rowOf(point.max), rowOf(point.min)];
      return (DOTS[column] ?? DOTS[0]).reduce<number>(
        (all, dot, row) => (top <= row && row <= bottom ? all | dot : all),
        0,
      );
    });
    return String.fromCharCode(EMPTY + dots.reduce((all, each) => all | each, 0));
  };
  return Array.from({ length: CELLS }, (_, cell) => cellOf(cell)).join("");
}

/** All values of a curve between two steps; where none begins there, the one that holds. */
function pointsIn({ steps, min, max, lastStep }: Curve, from: Step, to: Step): Point {
  const begin = lastNotAfter(steps, from, steps.length);
  let first = steps[begin] === from ? begin : begin + 1;
  const last = steps[Math.max(0, begin)];
  if (!((steps[first] ?? Number.POSITIVE_INFINITY) < to)) first = begin; // nothing begins there
  if (first < 0 || last === undefined || from > (lastStep ?? steps.at(-1) ?? from)) return null;
  const found = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, nan: false };
  for (let bin = first; bin < steps.length && (bin === first || (steps[bin] ?? to) < to); bin++) {
    const [least, most] = [min[bin] ?? Number.NaN, max[bin] ?? Number.NaN];
    if (!Number.isFinite(least) || !Number.isFinite(most)) found.nan = true;
    found.min = Math.min(found.min, least);
    found.max = Math.max(found.max, most);
  }
  return found;
}
