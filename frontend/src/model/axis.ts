/** The x axis: steps, times or shares of a run as positions, and back; and the part of it that is seen. */

import type { Range, Step } from "../units";
import type { Curve } from "./answers";
import { clamp, lastNotAfter } from "./notes";
import { formatStep } from "./words";

export type Axis = {
  /** What is at the left and the right edge of the plot: steps, seconds, or a share of the run. */
  readonly from: number;
  readonly to: number;
  /** In CSS pixels, within the timeline. */
  readonly left: number;
  readonly width: number;
};

/** The smallest range around some values; null without any. */
export function hullOf(values: readonly (number | null | undefined)[]): Range | null {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  return from <= to ? [from, to] : null;
}

/** What can be seen of a range in another one: all of that where they do not meet. */
export function within([first, last]: Range, range: Range | null): Range {
  if (range === null) return [first, last];
  const [from, to] = [Math.max(first, range[0]), Math.min(last, range[1])];
  return from < to ? [from, to] : [first, last];
}

/** The pixel at which a place on the axis is. */
export const pixelOf = (axis: Axis, x: number): number =>
  axis.left + ((x - axis.from) / (axis.to - axis.from)) * axis.width;

/** The place on the axis at a pixel, held within what is seen. */
export function xOf(axis: Axis, pixel: number): number {
  const along = Math.max(0, Math.min(1, (pixel - axis.left) / axis.width));
  return axis.from + along * (axis.to - axis.from);
}

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
  const lasts = [lead.steps, curve.steps].map((each) => each[each.length - 1] ?? Number.NaN);
  if (!(Math.max(...lasts) >= OTHER_STEPS * Math.min(...lasts))) return curve;
  const [from = 0, to = 0] = [lead.times[0], lead.times[lead.times.length - 1]];
  const steps = curve.times.map((time) => Math.floor(stepAtTime(lead, clamp(time, from, to))));
  const rises = steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0));
  return rises ? { ...curve, steps, lastStep: steps.at(-1) ?? null } : curve;
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

const DAY = 86_400;
const CLOCK = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600];

/** What may lie between two labels of the axis. */
function incrementsOf(measure: Measure): number[] {
  if (measure === "step") return decades(0, 12);
  if (measure === "share") return decades(-6, -1);
  const days = decades(0, 4).map((each) => each * DAY);
  return [...decades(-3, -1), ...CLOCK, 0.5 * DAY, ...days];
}

export type Tick = { readonly at: number; readonly text: string };

const PIXELS_PER_LETTER = 7;

/** Round places to label, so far apart that their labels do not touch. */
export function xTicks({ from, to, width }: Axis, measure: Measure): Tick[] {
  if (!(width > 0 && to > from)) return [];
  const space = Math.max(64, 28 + PIXELS_PER_LETTER * formatX(measure, to, to - from).length);
  const least = ((to - from) * space) / width;
  const increment = incrementsOf(measure).find((each) => each >= least) ?? least;
  const first = Math.ceil(from / increment - 1e-9);
  const count = Math.floor(to / increment + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const at = Number(((first + index) * increment).toPrecision(12));
    return { at, text: formatX(measure, at, to - from) };
  });
}

/** A place as a label of an axis that shows so much. */
export function formatX(measure: Measure, x: number, spread: number): string {
  if (measure === "step") return formatStep(x);
  if (measure === "share") return `${Number((100 * x).toFixed(spread < 0.02 ? 3 : 1))}%`;
  return measure === "time" ? formatDuration(x, spread) : formatClock(x, spread);
}

/** "2 d 3:00", "3:25:00", "12:05", "4 s", "0.25 s". */
export function formatDuration(seconds: number, spread = seconds): string {
  if (spread < 60) return `${Number(seconds.toFixed(spread < 5 ? 3 : 0))} s`;
  const whole = Math.round(seconds);
  const days = Math.floor(whole / DAY);
  const clock = [Math.floor((whole % DAY) / 3_600), Math.floor((whole % 3_600) / 60), whole % 60];
  const shown = clock[0] === 0 && days === 0 ? clock.slice(1) : clock;
  const digits = shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, "0")));
  return days > 0 ? `${days} d ${digits.slice(0, 2).join(":")}` : digits.join(":");
}

function formatClock(seconds: number, spread: number): string {
  const time = new Date(1_000 * seconds);
  if (spread > 3 * DAY) return time.toLocaleDateString("en", { month: "short", day: "numeric" });
  if (spread < 10)
    return `${time.toLocaleTimeString("en", { hourCycle: "h23" })}.${String(time.getMilliseconds())
      .padStart(3, "0")
      .slice(0, spread < 1 ? 3 : 1)}`;
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const precise = spread < 300 ? { ...clock, second: "2-digit" as const } : clock;
  if (spread < DAY) return time.toLocaleTimeString("en", precise);
  return time.toLocaleString("en", { month: "short", day: "numeric", ...clock });
}

function decades(first: number, last: number): number[] {
  const powers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return powers.flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
}

/** What was taken hold of, and where the window was then. */
export type Grip = {
  readonly part: "left" | "right" | "inside" | "outside";
  readonly window: Range;
};

const REACH = 8; // pixels around an edge

/** What is at a pixel; a window that shows all can only be drawn anew. */
export function gripAt([left, right]: Range, pixel: number, movable: boolean): Grip["part"] {
  if (!movable) return "outside";
  if (Math.abs(pixel - left) <= REACH && pixel <= (left + right) / 2) return "left";
  if (Math.abs(pixel - right) <= REACH) return "right";
  return left < pixel && pixel < right ? "inside" : "outside";
}

/** The window after the pointer has gone from one place to another, within the whole. */
export function pulled({ part, window }: Grip, from: number, to: number, whole: Range): Range {
  const [first, last] = window;
  if (part === "left") return ordered(to, last);
  if (part === "right") return ordered(first, to);
  if (part === "outside") return ordered(from, to);
  const start = clamp(first + to - from, whole[0], whole[1] - (last - first));
  return [start, start + last - first];
}

const ordered = (one: number, other: number): Range => [Math.min(one, other), Math.max(one, other)];
