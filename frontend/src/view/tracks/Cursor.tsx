/** What moves over the lanes: playhead, and the stretch that is selected. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Position } from "../../audio/schedule";
import { pixelOf } from "../../model/axis";
import { axis, drawable, xAt } from "../../state/axis";
import { hearing, loop, looping, stretch } from "../../state/choices";
import { player, playheadStep } from "../../state/playing";
import { reducedMotion } from "../../state/runs";
import type { Range } from "../../units";

const REDUCED_MS = 250;

export function Playhead() {
  const element = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const place = axis.value;
    const playhead = element.current;
    if (playhead === null) return;
    const show = ({ side, step }: Pick<Position, "side" | "step">) => {
      const x = xAt(side ?? hearing.value, step);
      playhead.hidden = !drawable.value || x < place.from || x > place.to;
      playhead.style.transform = `translateX(${pixelOf(place, x).toFixed(2)}px)`;
    };
    if (player.transport.value.state === "paused") {
      show({ side: null, step: playheadStep.value });
      return;
    }
    if (reducedMotion.value) {
      show(player.follow());
      const timer = window.setInterval(() => show(player.follow()), REDUCED_MS);
      return () => window.clearInterval(timer);
    }
    let request = 0;
    const move = () => {
      request = requestAnimationFrame(move);
      show(player.follow());
    };
    move();
    return () => cancelAnimationFrame(request);
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
