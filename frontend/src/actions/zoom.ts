/** Which part of the axis is seen: closer, wider, along. */

import { clamp } from "../model/timeline";
import { domain, seen, steps, xAt } from "../state/axes";
import { hearing, viewport } from "../state/choices";
import { here } from "../state/playing";
import type { Range, Step } from "../units";

const LEAST_STEPS = 4;

/** Show `factor` times less; what is at `around` stays where it is. */
export function zoomBy(factor: number, around: number = xHere()): void {
  const [first, last] = domain.value;
  const [from, to] = seen.value;
  const width = Math.max((to - from) / factor, least());
  if (width >= last - first) {
    fit();
    return;
  }
  const share = clamp((around - from) / (to - from), 0, 1);
  show(clamp(around, from, to) - share * width, width);
}

/** Show what lies between two places. */
export function zoomTo([from, to]: Range): void {
  const width = Math.max(to - from, least());
  show((from + to - width) / 2, width);
}

/** Show all there is. */
export function fit(): void {
  viewport.value = null;
}

/** Move along by a share of what is seen. */
export function panBy(share: number): void {
  const [from, to] = seen.value;
  if (viewport.value !== null) show(from + share * (to - from), to - from);
}

/** Have a step of the run that is heard in sight, at the left where it was not. */
export function bringIntoSight(step: Step): void {
  const [from, to] = seen.value;
  const x = xAt(hearing.value, step);
  if (viewport.value !== null && (x < from || x > to)) show(x, to - from);
}

const xHere = (): number => xAt(hearing.value, here.value);

/** The width of a few steps. */
function least(): number {
  const [first, last] = domain.value;
  const [from, to] = steps.value;
  return ((last - first) * LEAST_STEPS) / Math.max(to - from, LEAST_STEPS);
}

function show(from: number, width: number): void {
  const [first, last] = domain.value;
  if (width >= last - first) {
    fit();
    return;
  }
  const start = clamp(from, first, last - width);
  viewport.value = [start, start + width];
}
