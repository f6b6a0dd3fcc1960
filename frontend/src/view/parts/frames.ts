/** What moves on the screen while something plays; for effects, which return what these return. */

import type { ReadonlySignal } from "@preact/signals";
import { hearing } from "../../state/choices";
import { player, playheadStep } from "../../state/playing";
import { reducedMotion } from "../../state/runs";
import type { Side, Step } from "../../units";

const REDUCED_MS = 250;

/** Call now and in each frame, or four times a second where motion is reduced, until disposed of. */
export function inEachFrame(draw: () => void): () => void {
  draw();
  if (reducedMotion.value) {
    const timer = window.setInterval(draw, REDUCED_MS);
    return () => window.clearInterval(timer);
  }
  const next = () => {
    request = requestAnimationFrame(next);
    draw();
  };
  let request = requestAnimationFrame(next);
  return () => cancelAnimationFrame(request);
}

/** Show a place once while paused; while playing, what is at the ear in each frame. */
export function followPlayhead(
  show: (step: Step, side: Side) => void,
  paused: ReadonlySignal<Step> = playheadStep,
): (() => void) | undefined {
  if (player.transport.value.state === "paused") {
    show(paused.value, hearing.value);
    return;
  }
  return inEachFrame(() => {
    const { side, step } = player.follow();
    show(step, side ?? hearing.peek());
  });
}
