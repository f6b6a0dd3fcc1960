/** Reading a curve point by point: crossings, the next higher value. */

import type { Step } from "../units";
import type { Curve } from "./answers";
import { valueAt } from "./curve";
import { lastNotAfter } from "./notes";

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
