/** The playhead: one element, moved by its transform, with every picture while something plays. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { axis } from "../axes";
import { pixelOf } from "../model/axis";
import { here, player } from "../playing";
import { reducedMotion } from "../store";
import type { Step } from "../units";

const REDUCED_MS = 250;

export function Playhead() {
  const element = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const place = axis.value;
    const playhead = element.current;
    if (playhead === null) return;
    playhead.hidden = place === null;
    if (place === null) return;
    const show = (step: Step) => {
      playhead.hidden = step < place.from || step > place.to;
      playhead.style.transform = `translateX(${pixelOf(place, step).toFixed(2)}px)`;
    };
    if (player.transport.value.state === "paused") {
      show(here.value);
      return;
    }
    if (reducedMotion.value) {
      show(player.follow().step);
      const timer = window.setInterval(() => show(player.follow().step), REDUCED_MS);
      return () => window.clearInterval(timer);
    }
    let request = 0;
    const move = () => {
      request = requestAnimationFrame(move);
      show(player.follow().step);
    };
    move();
    return () => cancelAnimationFrame(request);
  });

  return <div class="playhead" ref={element} />;
}
