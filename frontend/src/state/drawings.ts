/** The curves as they are to be drawn: in their colours, along the axis, smoothed. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Drawing } from "../drawing/chart";
import { firstGap, lineOf } from "../model/curve";
import { SIDES } from "../units";
import { laidCurves, laidPartners, sketchPlaces, xAt } from "./axes";
import { smoothing } from "./choices";
import { log } from "./shown";
import { lineColourOf, lineColours } from "./store";

/** Those of A and B last, so that they lie over the others. */
export const drawings: ReadonlySignal<readonly Drawing[]> = computed(() => [
  ...behind.value,
  ...validation.value,
  ...front.value,
]);

const front: ReadonlySignal<readonly Drawing[]> = computed(() =>
  SIDES.flatMap((side) => {
    const curve = laidCurves[side].value;
    if (curve === null || curve.steps.length === 0) return [];
    const gap = firstGap(curve);
    return [
      {
        side,
        line: lineOf(curve, log.value, smoothing.value, (step) => xAt(side, step)),
        colour: lineColours[side].value,
        gap: gap === null ? null : xAt(side, gap),
      },
    ];
  }),
);

/** The validation loss of a training loss, thin as those behind. */
const validation: ReadonlySignal<readonly Drawing[]> = computed(() =>
  SIDES.flatMap((side) => {
    const curve = laidPartners[side].value;
    if (curve === null || curve.steps.length === 0) return [];
    const line = lineOf(curve, log.value, smoothing.value, (step) => xAt(side, step));
    return [{ side: null, line, colour: lineColours[side].value, gap: null }];
  }),
);

const behind: ReadonlySignal<readonly Drawing[]> = computed(() =>
  sketchPlaces.value.map(({ run, curve, xAt }) => ({
    side: null,
    line: lineOf(curve, log.value, smoothing.value, xAt),
    colour: lineColourOf(run),
    gap: null,
  })),
);
