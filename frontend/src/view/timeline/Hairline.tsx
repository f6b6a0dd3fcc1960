/** Where a click would play from. */

import { xOf } from "../../model/axis";
import { formatStep } from "../../model/format";
import { formatX } from "../../model/places";
import { clamp } from "../../model/timeline";
import { axis, stepAt } from "../../state/axes";
import { hearing, measure } from "../../state/choices";

export function Hairline({ pixel }: { pixel: number | null }) {
  const place = axis.value;
  if (place === null || pixel === null) return null;
  const at = xOf(place, pixel);
  const step = stepAt(hearing.value, at);
  const x = clamp(pixel, place.left, place.left + place.width);
  return (
    <div class="hairline" style={{ transform: `translateX(${x}px)` }}>
      <span class={x > place.left + place.width - 90 ? "left" : ""}>
        {at === step ? "" : `${formatX(measure.value, at, place.to - place.from)}, `}step{" "}
        {formatStep(Math.round(step))}
      </span>
    </div>
  );
}
