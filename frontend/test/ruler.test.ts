import { expect, test } from "vitest";
import {
  formatDuration,
  formatX,
  gripAt,
  type Measure,
  meet,
  onStepsOf,
  pulled,
  rulerOf,
  stepAtTime,
  stepAtX,
  xAtStep,
  xTicks,
} from "../src/model/axis";
import { smoothed } from "../src/model/curve";

// A step a second, but for a pause of 100 s after step 4; the loss was logged later, and further.
const norms = { steps: [0, 2, 4, 6, 8], times: [1000, 1002, 1004, 1106, 1108] };
const loss = { steps: [1, 8, 10], times: [1001, 1108, 1110] };

test.each<[Measure, number, number]>([
  ["step", 6, 6],
  ["time", 6, 106],
  ["clock", 6, 1106],
  ["share", 6, 0.75],
])("by %s, step %d lies at %d, and back", (measure, step, x) => {
  const ruler = rulerOf(measure, [norms, loss]);
  expect(xAtStep(ruler, step)).toBeCloseTo(x, 9);
  expect(stepAtX(ruler, x)).toBeCloseTo(step, 9);
});

test("what was logged beyond the norms has its place as well, and nothing lies outside", () => {
  const time = rulerOf("time", [norms, loss]);
  expect(xAtStep(time, 10)).toBe(110);
  expect(xAtStep(time, 99)).toBe(110);
  expect(stepAtX(time, -5)).toBe(0);
  const share = rulerOf("share", [norms, loss]);
  expect(xAtStep(share, 10)).toBeCloseTo(1.25);
});

test("a clock that was set back does not turn the axis back", () => {
  const ruler = rulerOf("time", [{ steps: [0, 1, 2, 3], times: [50, 60, 40, 70] }]);
  const places = [0, 1, 2, 3].map((step) => xAtStep(ruler, step));
  expect(places).toEqual([0, 10, 10, 20]);
});

test("a run of a single step, or of none, has a place", () => {
  for (const measure of ["time", "clock", "share"] as const) {
    const single = rulerOf(measure, [{ steps: [7], times: [100] }]);
    expect(stepAtX(single, xAtStep(single, 7))).toBe(7);
    expect(Number.isFinite(xAtStep(rulerOf(measure, []), 3))).toBe(true);
  }
});

test("smoothing starts without a bias, stays within the values and keeps gaps", () => {
  expect(smoothed([4, 4, 4], 0.9)).toEqual([4, 4, 4].map((value) => expect.closeTo(value, 9)));
  const [first, gap, last] = smoothed([1, null, 3], 0.5);
  expect(first).toBeCloseTo(1);
  expect(gap).toBeNull();
  expect(last).toBeCloseTo((0.25 + 1.5) / 0.75);
  expect(smoothed([1, 5], 0)).toEqual([1, 5]);
});

test("a window is moved by its middle, widened by its edges, and else drawn anew", () => {
  expect(gripAt([100, 300], 103, true)).toBe("left");
  expect(gripAt([100, 300], 295, true)).toBe("right");
  expect(gripAt([100, 300], 200, true)).toBe("inside");
  expect(gripAt([100, 300], 40, true)).toBe("outside");
  expect(gripAt([0, 500], 200, false)).toBe("outside");
  const grip = (part: ReturnType<typeof gripAt>) => ({ part, window: [20, 40] as const });
  expect(pulled(grip("inside"), 30, 35, [0, 100])).toEqual([25, 45]);
  expect(pulled(grip("inside"), 30, 99, [0, 100])).toEqual([80, 100]);
  expect(pulled(grip("left"), 20, 50, [0, 100])).toEqual([40, 50]);
  expect(pulled(grip("right"), 40, 70, [0, 100])).toEqual([20, 70]);
  expect(pulled(grip("outside"), 70, 60, [0, 100])).toEqual([60, 70]);
});

test("durations, shares and clock times read as people write them", () => {
  expect(formatDuration(0.25)).toBe("0.25 s");
  expect(formatDuration(42)).toBe("42 s");
  expect(formatDuration(725)).toBe("12:05");
  expect(formatDuration(12_300)).toBe("3:25:00");
  expect(formatDuration(2 * 86_400 + 3 * 3_600)).toBe("2 d 3:00");
  expect(formatX("share", 0.125, 1)).toBe("12.5%");
  expect(formatX("step", 1240, 5000)).toBe("1,240");
  const noon = Date.parse("2026-11-25T12:00:00") / 1000;
  expect(formatX("clock", noon, 3_600)).toBe("12:00");
  expect(formatX("clock", noon + 0.25, 0.9)).toContain("12:00:00.250");
});

test.each<[Measure, number, number]>([
  ["step", 0, 199],
  ["step", 9_999_950, 10_000_100],
  ["time", 0, 3_725],
  ["time", 0, 0.05],
  ["clock", 1_764_000_000, 1_764_080_000],
  ["share", 0, 1],
])("labels by %s from %d to %d are round, rise, and do not touch", (measure, from, to) => {
  for (const width of [120, 600, 1_800]) {
    const ticks = xTicks({ from, to, left: 64, width }, measure);
    const pixels = ticks.map(({ at }) => ((at - from) / (to - from)) * width);
    expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
    pixels.forEach((pixel, index) => {
      expect(pixel).toBeGreaterThanOrEqual(0);
      expect(pixel).toBeLessThanOrEqual(width + 1e-6);
      expect(pixel - (pixels[index - 1] ?? -64)).toBeGreaterThanOrEqual(64 - 1e-6);
    });
  }
  expect(xTicks({ from, to, left: 64, width: 600 }, measure).length).toBeGreaterThan(1);
});

test("an axis without width or range has no labels", () => {
  expect(xTicks({ from: 0, to: 100, left: 64, width: 0 }, "step")).toEqual([]);
  expect(xTicks({ from: 5, to: 5, left: 64, width: 600 }, "step")).toEqual([]);
});

test("steps of another count do not meet, and are found by time", () => {
  const steps = Float64Array.from({ length: 101 }, (_, step) => step);
  expect(meet(steps, [50, 150])).toBe(true);
  expect(meet(steps, [0, 9])).toBe(false); // epochs
  expect(meet(steps, [0, 200_000])).toBe(false); // steps of an environment
  expect(meet(steps, [200, 300])).toBe(false);
  expect([1003, 1055, 1108].map((time) => stepAtTime(norms, time))).toEqual([3, 5, 8]);
  expect(stepAtTime(norms, 1000 - 13.5)).toBeCloseTo(-1);
  expect(stepAtTime(norms, 1108 + 13.5)).toBeCloseTo(9);
});

const curve = (steps: number[], times: number[]) => ({
  tag: "",
  steps: Float64Array.from(steps),
  times: Float64Array.from(times),
  min: Float64Array.from(steps),
  max: Float64Array.from(steps),
  lastStep: steps.at(-1) ?? null,
});
const training = curve([0, 100, 200], [1000, 1100, 1200]);

test("a curve that counts epochs lies on the steps of another by time", () => {
  const epochs = onStepsOf(training, curve([0, 1], [1100, 1200]));
  expect([...epochs.steps, epochs.lastStep]).toEqual([100, 200, 200]);
  const steps = curve([100, 190], [1100, 1190]);
  expect(onStepsOf(training, steps)).toBe(steps);
});

test("a curve whose points would share steps stays as it is, and none lies beyond the other", () => {
  const twice = curve([0, 1], [1100.2, 1100.4]);
  expect(onStepsOf(training, twice)).toBe(twice);
  expect([...onStepsOf(training, curve([0, 1], [1100.7, 9000])).steps]).toEqual([100, 200]);
  const none = curve([], []);
  expect(onStepsOf(training, none)).toBe(none);
});
