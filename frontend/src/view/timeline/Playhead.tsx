/** The playhead: one element, moved by its transform, with every picture while something plays. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Position } from "../../audio/transport";
import { pixelOf } from "../../model/axis";
import { axis, xAt } from "../../state/axes";
import { hearing } from "../../state/choices";
import { here, player } from "../../state/playing";
import { reducedMotion } from "../../state/store";

const REDUCED_MS = 250;

export function Playhead() {
  const element = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const place = axis.value;
    const playhead = element.current;
    if (playhead === null) return;
    playhead.hidden = place === null;
    if (place === null) return;
    const show = ({ side, step }: Pick<Position, "side" | "step">) => {
      const x = xAt(side ?? hearing.value, step);
      playhead.hidden = x < place.from || x > place.to;
      playhead.style.transform = `translateX(${pixelOf(place, x).toFixed(2)}px)`;
    };
    if (player.transport.value.state === "paused") {
      show({ side: null, step: here.value });
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
