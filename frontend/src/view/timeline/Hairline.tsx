/** Where a click would play from. */

import { pixelOf } from "../../model/axis";
import { formatStep } from "../../model/format";
import { formatX } from "../../model/places";
import { axis, stepAt } from "../../state/axes";
import { hearing, measure } from "../../state/choices";

export function Hairline({ x: at }: { x: number | null }) {
  const place = axis.value;
  if (place === null || at === null) return null;
  const step = stepAt(hearing.value, at);
  const x = pixelOf(place, at);
  return (
    <div class="hairline" style={{ transform: `translateX(${x}px)` }}>
      <span class={x > place.left + place.width - 90 ? "left" : ""}>
        {at === step ? "" : `${formatX(measure.value, at, place.to - place.from)}, `}step{" "}
        {formatStep(Math.round(step))}
      </span>
    </div>
  );
}
