/** What is drawn, as rows of a table: one per step at which a run has a point. */

import type { Range, Step } from "../units";
import type { Curve, Heatmap } from "./answers";
import { lastNotAfter } from "./timeline";

/** The steps of several curves within a range, each once, in order. */
export function stepsIn(curves: readonly Curve[], [from, to]: Range): Float64Array {
  const all = curves.flatMap(({ steps }) => {
    const first = lastNotAfter(steps, from, steps.length);
    const start = steps[first] === from ? first : first + 1;
    return [...steps.subarray(start, lastNotAfter(steps, to, steps.length) + 1)];
  });
  return Float64Array.from(new Set(all)).sort();
}

/** What a curve has at exactly a step; null where it has no point there. */
export function pointAt(curve: Curve | null, step: Step): { min: number; max: number } | null {
  if (curve === null) return null;
  const bin = lastNotAfter(curve.steps, step, curve.steps.length);
  const [min, max] = [curve.min[bin], curve.max[bin]];
  const there = curve.steps[bin] === step && min !== undefined && max !== undefined;
  return there ? { min, max } : null;
}

/** The layer with the largest norm around a step: NaN before infinity before all numbers. */
export function worstLayer(
  { layers, from, to, columns, max }: Heatmap,
  step: Step,
): { layer: string; norm: number } | null {
  const column = Math.min(columns - 1, Math.floor((columns * (step - from)) / (to - from)));
  if (column < 0 || step > to) return null;
  let worst: { layer: string; norm: number } | null = null;
  layers.forEach((layer, at) => {
    const norm = max[column * layers.length + at] ?? -1;
    const known = worst?.norm ?? -1;
    const worse = Number.isNaN(norm) ? !Number.isNaN(known) : norm > known;
    if (worse) worst = { layer, norm };
  });
  return worst;
}

export const ROWS_PER_PAGE = 25;

export const pagesOf = (rows: number): number => Math.max(1, Math.ceil(rows / ROWS_PER_PAGE));
