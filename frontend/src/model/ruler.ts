/** Where steps lie along x: by themselves, by time, or by the share of the run that is done. */

import type { Step } from "../units";
import type { Curve } from "./answers";
import { clamp, lastNotAfter } from "./timeline";

/** What x is: steps; seconds since the run began; seconds since the epoch; 0 to 1. */
export type Measure = "step" | "time" | "clock" | "share";

export const MEASURES: readonly Measure[] = ["step", "time", "clock", "share"];

/** Known points of a run, both never decreasing; null: x is the step itself. */
export type Ruler = { readonly steps: readonly number[]; readonly xs: readonly number[] } | null;

/** Points in time of a run: steps strictly increasing or not, times in seconds since the epoch. */
export type Timed = { readonly steps: ArrayLike<number>; readonly times: ArrayLike<number> };

/** The ruler of a run by what is known of it; the first one says where time and share begin. */
export function rulerOf(measure: Measure, known: readonly Timed[]): Ruler {
  if (measure === "step") return null;
  const [steps, times] = inOrder(known);
  const lead = known.find((each) => each.steps.length > 0);
  if (lead === undefined) return { steps: [0], xs: [0] };
  if (measure === "share") {
    const [from, to] = [lead.steps[0] ?? 0, lead.steps[lead.steps.length - 1] ?? 0];
    const ends = [Math.min(steps[0] ?? 0, from), Math.max(steps.at(-1) ?? 0, to)];
    return { steps: ends, xs: ends.map((step) => (to > from ? (step - from) / (to - from) : 0)) };
  }
  const start = measure === "time" ? (lead.times[0] ?? 0) : 0;
  return { steps, xs: times.map((time) => time - start) };
}

export const xAtStep = (ruler: Ruler, step: Step): number =>
  ruler === null ? step : between(ruler.steps, ruler.xs, step);

export const stepAtX = (ruler: Ruler, x: number): Step =>
  ruler === null ? x : between(ruler.xs, ruler.steps, x);

/** On a straight line between the points around it; at the ends, the ends. */
function between(from: readonly number[], to: readonly number[], value: number): number {
  const at = clamp(lastNotAfter(from, value, from.length), 0, from.length - 1);
  const [low, high] = [from[at] ?? 0, from[at + 1]];
  const [first, second] = [to[at] ?? 0, to[at + 1]];
  if (high === undefined || second === undefined || high <= low) return first;
  return mix(first, second, clamp((value - low) / (high - low), 0, 1));
}

const LEAST_SHARED = 0.1;

/** Whether two series count the same steps: a tenth of what they cover is covered by both. */
export function meet(one: ArrayLike<Step>, other: ArrayLike<Step>): boolean {
  const [from, to, otherFrom, otherTo] = [one, other].flatMap((steps) => [
    steps[0] ?? 0,
    steps[steps.length - 1] ?? 0,
  ]) as [Step, Step, Step, Step];
  const all = Math.max(to, otherTo) - Math.min(from, otherFrom);
  const shared = Math.min(to, otherTo) - Math.max(from, otherFrom);
  return all === 0 || shared >= LEAST_SHARED * all;
}

/** The step of a run at a time; before its start and after its end, at its mean pace. */
export function stepAtTime({ steps, times }: Timed, time: number): Step {
  const last = times.length - 1;
  const [first, end] = [times[0] ?? 0, times[last] ?? 0];
  const [from, to] = [steps[0] ?? 0, steps[last] ?? 0];
  const pace = end > first ? (to - from) / (end - first) : 1;
  if (time <= first) return from + (time - first) * pace;
  if (time >= end) return to + (time - end) * pace;
  const at = lastNotAfter(times, time, times.length);
  const [low, high] = [times[at] ?? 0, times[at + 1] ?? 0];
  return mix(steps[at] ?? 0, steps[at + 1] ?? 0, (time - low) / (high - low));
}

const OTHER_STEPS = 5; // times as many: a scalar that counts epochs, beside one that counts steps

/** A curve on the steps of another by the time, where it counts others; see the server's `on_steps_of`. */
export function onStepsOf(lead: Timed, curve: Curve): Curve {
  const [last, lastOfOther] = [lead.steps, curve.steps].map((each) => each[each.length - 1] ?? 0);
  const [low, high] = [
    Math.min(last ?? 0, lastOfOther ?? 0),
    Math.max(last ?? 0, lastOfOther ?? 0),
  ];
  return high < OTHER_STEPS * low ? curve : byTime(lead, curve);
}

/** A curve on the steps that another series had at its times. */
export function byTime(lead: Timed, curve: Curve): Curve {
  const steps = curve.times.map((time) => stepAtTime(lead, time));
  return { ...curve, steps, lastStep: steps.at(-1) ?? null };
}

const mix = (from: number, to: number, share: number): number => from + (to - from) * share;

/** All points by step; a clock that was set back is held until it is past again. */
function inOrder(known: readonly Timed[]): [number[], number[]] {
  const points = known
    .flatMap(({ steps, times }) =>
      Array.from(steps, (step, at) => [step, times[at] ?? Number.NaN] as const),
    )
    .filter(([, time]) => Number.isFinite(time))
    .sort(([one], [other]) => one - other);
  let latest = Number.NEGATIVE_INFINITY;
  const times = points.map(([, time]) => {
    latest = Math.max(latest, time);
    return latest;
  });
  return [points.map(([step]) => step), times];
}
