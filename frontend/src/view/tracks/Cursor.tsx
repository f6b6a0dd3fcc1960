/** What moves over the lanes: playhead, and the stretch that is selected. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { pixelOf } from "../../model/axis";
import { axis, drawable, xAt } from "../../state/axis";
import { hearing, loop, looping, stretch } from "../../state/choices";
import type { Range } from "../../units";
import { followPlayhead } from "../parts/frames";

export function Playhead() {
  const element = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const place = axis.value;
    const playhead = element.current;
    if (playhead === null) return;
    return followPlayhead((step, side) => {
      const x = xAt(side, step);
      playhead.hidden = !drawable.value || x < place.from || x > place.to;
      playhead.style.transform = `translateX(${pixelOf(place, x).toFixed(2)}px)`;
    });
  });

  return <div class="playhead" ref={element} />;
}

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
  if (to < place.from || from > place.to) return null;
  const left = pixelOf(place, Math.max(from, place.from));
  const right = pixelOf(place, Math.min(to, place.to));
  return <div class={`region ${kind}`} style={{ left: `${left}px`, width: `${right - left}px` }} />;
}
