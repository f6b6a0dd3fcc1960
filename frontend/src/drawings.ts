/** The curves as they are to be drawn: in their colours, along the axis, smoothed. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { xAt } from "./axes";
import type { Drawing } from "./chart";
import { measure, smoothing } from "./choices";
import { firstGap, lineOf } from "./model/curve";
import { curves, lineColours, log } from "./store";
import { SIDES } from "./units";

export const drawings: ReadonlySignal<readonly Drawing[]> = computed(() =>
  SIDES.flatMap((side) => {
    const curve = curves[side].value;
    if (curve === null || curve.steps.length === 0) return [];
    void measure.value;
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
