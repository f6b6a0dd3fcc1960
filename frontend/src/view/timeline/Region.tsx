/** Stretches of the axis that are marked: the loop, and what the pointer is drawing. */

import { pixelOf } from "../../model/axis";
import { axis, xAt } from "../../state/axes";
import { hearing, loop, looping, stretch } from "../../state/choices";
import type { Range } from "../../units";

export function Regions() {
  const steps = loop.value;
  const side = hearing.value;
  return (
    <>
      {steps !== null && (
        <Region
          kind={looping.value ? "loop on" : "loop"}
          range={[xAt(side, steps[0]), xAt(side, steps[1])]}
        />
      )}
      {stretch.value !== null && <Region kind={stretch.value.wanted} range={stretch.value.range} />}
    </>
  );
}

function Region({ kind, range: [from, to] }: { kind: string; range: Range }) {
  const place = axis.value;
  if (place === null || to < place.from || from > place.to) return null;
  const left = pixelOf(place, Math.max(from, place.from));
  const right = pixelOf(place, Math.min(to, place.to));
  return <div class={`region ${kind}`} style={{ left: `${left}px`, width: `${right - left}px` }} />;
}
