/** Which steps are seen: closer, wider, along. */

import { domain, seen } from "./axes";
import { viewport } from "./choices";
import { clamp } from "./model/timeline";
import { here } from "./playing";
import type { Step } from "./units";

const LEAST_STEPS = 4;

/** Show `factor` times fewer steps; what is at `around` stays where it is. */
export function zoomBy(factor: number, around: Step = here.value): void {
  const [first, last] = domain.value;
  const [from, to] = seen.value;
  const width = Math.max((to - from) / factor, Math.min(LEAST_STEPS, last - first));
  if (width >= last - first) {
    fit();
    return;
  }
  const share = clamp((around - from) / (to - from), 0, 1);
  show(clamp(around, from, to) - share * width, width);
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

/** Have a step in sight, at the left where it was not. */
export function bringIntoSight(step: Step): void {
  const [from, to] = seen.value;
  if (viewport.value !== null && (step < from || step > to)) show(step, to - from);
}

function show(from: Step, width: number): void {
  const [first, last] = domain.value;
  const start = clamp(from, first, last - width);
  viewport.value = [start, start + width];
}
