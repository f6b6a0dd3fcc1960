/** Places on the x axis as people read them. */

import { formatStep } from "./format";
import type { Measure } from "./ruler";

const DAY = 86_400;
const CLOCK = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600];

/** What lies between two labels of the axis, at the choice of who draws it. */
export function incrementsOf(measure: Measure): number[] {
  if (measure === "step") return decades(0, 12);
  if (measure === "share") return decades(-6, -1);
  const days = decades(0, 4).map((each) => each * DAY);
  return [...decades(-3, -1), ...CLOCK, 0.5 * DAY, ...days];
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
