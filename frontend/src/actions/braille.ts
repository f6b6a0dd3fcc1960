/** Moving along the braille line. */

import { CELLS } from "../model/braille";
import { clamp } from "../model/notes";
import { seen, stepAt, xAt } from "../state/axis";
import { hearing } from "../state/choices";
import { playheadStep } from "../state/playing";
import { moveTo } from "./moving";

/** Go to the first step in a cell of the braille line; to the left, at least by a step. */
export function moveToCell(cell: number): void {
  const [from, to] = seen.value;
  const x = from + ((to - from) * clamp(cell, 0, CELLS - 1)) / CELLS;
  const step = Math.ceil(stepAt(hearing.value, x) - 1e-6);
  moveTo(cell < cellHere() ? Math.min(step, Math.ceil(playheadStep.value) - 1) : step);
}

/** The cell of the playhead. */
export function cellHere(): number {
  const [from, to] = seen.value;
  const share = (xAt(hearing.value, playheadStep.value) - from) / (to - from);
  return clamp(Math.floor(share * CELLS + 1e-6), 0, CELLS - 1);
}
