/** What a mouse does on the timeline: a click plays, a drag zooms, with Shift it makes a loop. */

import { xOf } from "../model/axis";
import { axis, drawable, pointer, stepAt } from "../state/axis";
import { hearing, stretch } from "../state/choices";
import { announcer, player, whySilent } from "../state/playing";
import type { Range } from "../units";
import { setLoop } from "./moving";
import { playFrom } from "./transport";
import { zoomTo } from "./zoom";

type OnTimeline = MouseEvent & { readonly currentTarget: HTMLElement };

export const CLICK_PIXELS = 5; // that a hand may move during a click

let pressed: { readonly at: number; readonly x: number } | null = null;

/** The place on the axis under the pointer. */
export const placeUnder = (event: OnTimeline): number => xOf(axis.value, pixelUnder(event));

/** In CSS pixels, within the timeline. */
export const pixelUnder = (event: OnTimeline): number =>
  event.clientX - event.currentTarget.getBoundingClientRect().left;

let pointing = 0;

/**
 * Show what is at the pointer, in the next frame: a click right after a move makes its sound before
 * anything is laid out.
 */
export function point(at: typeof pointer.value): void {
  cancelAnimationFrame(pointing);
  pointing = requestAnimationFrame(() => {
    pointer.value = at;
  });
}

/** Play from a place on the axis. */
export function playAt(x: number, event: Event): void {
  const step = stepAt(hearing.value, x);
  performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { step } });
  playFrom(step);
}

/** A press may become a click, so that sound is made ready for one. */
export function press(event: OnTimeline & PointerEvent): void {
  const x = placeUnder(event);
  if (event.button !== 0) return;
  if (!drawable.value) {
    announcer.say(whySilent(hearing.value));
    return;
  }
  pressed = { at: event.clientX, x };
  event.currentTarget.setPointerCapture(event.pointerId);
  player.prefetch(stepAt(hearing.value, x));
}

export function drag(event: OnTimeline): void {
  const x = placeUnder(event);
  if (pressed === null) return;
  if (stretch.value === null && Math.abs(event.clientX - pressed.at) < CLICK_PIXELS) return;
  const range: Range = [Math.min(x, pressed.x), Math.max(x, pressed.x)];
  stretch.value = { range, wanted: event.shiftKey ? "loop" : "zoom" };
}

export function release(event: OnTimeline): void {
  const drawn = stretch.value;
  const clicked = pressed !== null && drawn === null;
  letGo();
  if (clicked) playAt(placeUnder(event), event);
  if (drawn?.wanted === "zoom") zoomTo(drawn.range);
  if (drawn?.wanted === "loop") {
    const [from, to] = drawn.range;
    setLoop([stepAt(hearing.value, from), stepAt(hearing.value, to)]);
  }
}

/** Forget what was being drawn; whether anything was. */
export function letGo(): boolean {
  const drawing = stretch.value !== null;
  pressed = null;
  stretch.value = null;
  return drawing;
}
