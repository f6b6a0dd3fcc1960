/** Which part of the axis is seen: closer, wider, along. */

import { clamp } from "../model/notes";
import { formatTick } from "../model/words";
import { domain, outliers, seen, steps, xAt, yAxis } from "../state/axis";
import { hearing, outliersShown, showOutliers, viewport } from "../state/choices";
import { announcer, isPlaying, playheadStep } from "../state/playing";
import type { Range, Step } from "../units";

const LEAST_STEPS = 4;

/** Show `factor` times less; what is at `around` stays where it is. */
export function zoomBy(factor: number, around: number = xHere()): void {
  const [first, last] = domain.value;
  const [from, to] = seen.value;
  const width = Math.max((to - from) / factor, least());
  if (width >= last - first) {
    fit();
    return;
  }
  const share = clamp((around - from) / (to - from), 0, 1);
  show(clamp(around, from, to) - share * width, width);
}

/** Show what lies between two places. */
export function zoomTo([from, to]: Range): void {
  const width = Math.max(to - from, least());
  show((from + to - width) / 2, width);
}

/** Show all there is. */
export function fit(): void {
  viewport.value = null;
}

/** Let the y axis reach to all points, or leave out those that squeeze the rest; and say which. */
export function toggleOutliers(): void {
  showOutliers(!outliersShown.value);
  const count = outliers.value;
  const { high } = yAxis.value;
  if (count === 0) announcer.say("No outliers: all points are in the picture");
  else if (outliersShown.value) {
    announcer.say(`All points are shown, up to ${formatTick(Number(high.toPrecision(1)))}`);
  } else announcer.say(`${count} outliers are left out, the curve is shown larger`);
}

/** Move along by a share of what is seen. */
export function panBy(share: number): void {
  const [from, to] = seen.value;
  if (viewport.value !== null) show(from + share * (to - from), to - from);
}

/** Where the playhead was; null while nothing plays. */
let before: Step | null = null;

/**
 * To be run as an effect: turn the page where the playhead leaves what is seen, or plays outside of it from now on.
 * Whoever has zoomed elsewhere meanwhile stays there.
 */
export function keepInSight(): void {
  const step = isPlaying() ? playheadStep.value : null;
  const followed = before === null || isSeen(before);
  before = step;
  if (step === null || !followed || isSeen(step)) return;
  const [from, to] = seen.value;
  show(xAt(hearing.value, step), to - from);
}

function isSeen(step: Step): boolean {
  const [from, to] = seen.value;
  const x = xAt(hearing.value, step);
  return viewport.value === null || (from <= x && x <= to);
}

const xHere = (): number => xAt(hearing.value, playheadStep.value);

/** The width of a few steps. */
function least(): number {
  const [first, last] = domain.value;
  const [from, to] = steps.value;
  return ((last - first) * LEAST_STEPS) / Math.max(to - from, LEAST_STEPS);
}

function show(from: number, width: number): void {
  const [first, last] = domain.value;
  if (width >= last - first) {
    fit();
    return;
  }
  const start = clamp(from, first, last - width);
  viewport.value = [start, start + width];
}
