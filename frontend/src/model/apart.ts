/** Which stretch of a run is heard row by row: where one is so near that there are few rows. */

import type { Range } from "../units";
import type { Coverage } from "./answers";

// What the server takes apart, less the notes at the ends.
const MOST_ROWS = 9_000;
const MOST_VALUES = 3_600_000;
const BESIDE = 1; // times what is seen, before it and after it

/**
 * The steps whose notes are to be taken apart, so that each row is one; null where none are.
 *
 * @param last what it was before, which stays as long as it holds what is seen
 */
export function apartFor(
  { steps, rowsPerNote, layers }: Coverage,
  [from, to]: Range,
  last: Range | null,
): Range | null {
  const row = stepsOfRow(steps, rowsPerNote[0]);
  if (rowsPerNote[1] === 1 || row === null || !(from < to)) return null;
  const most = Math.min(MOST_ROWS, MOST_VALUES / Math.max(layers.length, 1)) * row;
  const width = to - from;
  const wanted = width * (1 + 2 * BESIDE);
  if (wanted > most) return null;
  if (last !== null && last[0] <= from && to <= last[1] && last[1] - last[0] <= 4 * wanted) {
    return last;
  }
  return [Math.floor(from - BESIDE * width), Math.ceil(to + BESIDE * width)];
}

const FIRST_NOTES = 100; // which sum up the fewest rows

/** About how many steps apart rows are. */
function stepsOfRow(steps: Float64Array, rowsPerNote: number): number | null {
  const notes = Math.min(FIRST_NOTES, steps.length - 1);
  const [first, last] = [steps[0], steps[notes]];
  if (first === undefined || last === undefined || last <= first) return null;
  return (last - first) / (notes * rowsPerNote);
}
