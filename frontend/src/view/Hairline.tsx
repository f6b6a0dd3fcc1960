/** Where a click would play from. */

import { axis } from "../axes";
import { pixelOf } from "../model/axis";
import { formatStep } from "../model/format";
import type { Step } from "../units";

export function Hairline({ step }: { step: Step | null }) {
  const place = axis.value;
  if (place === null || step === null) return null;
  const whole = Math.round(step);
  const x = pixelOf(place, Math.max(place.from, Math.min(place.to, whole)));
  return (
    <div class="hairline" style={{ transform: `translateX(${x}px)` }}>
      <span class={x > place.left + place.width - 90 ? "left" : ""}>step {formatStep(whole)}</span>
    </div>
  );
}
