/** The x axis that everything drawn shares. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { viewport } from "./choices";
import { type Axis, domainOf, within } from "./model/axis";
import { coverages } from "./sources";
import { curves, plot, present } from "./store";
import { type Range, SIDES } from "./units";

/** Whether there is anything yet to lay out steps by. */
export const laidOut = computed(() =>
  SIDES.some((side) => curves[side].value !== null || coverages[side].value !== null),
);

/** All steps that are drawn or can be heard. */
export const domain: ReadonlySignal<Range> = computed(() =>
  domainOf(
    present(SIDES.map((side) => curves[side].value)),
    present(SIDES.map((side) => coverages[side].value)),
  ),
);

/** The steps that are seen. */
export const seen: ReadonlySignal<Range> = computed(() => within(domain.value, viewport.value));

export const axis: ReadonlySignal<Axis | null> = computed(() => {
  const [from, to] = seen.value;
  return plot.value === null ? null : { from, to, ...plot.value };
});
