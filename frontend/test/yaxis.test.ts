import { expect, test } from "vitest";
import { lineOf } from "../src/model/curve";
import {
  exitOf,
  heightOf,
  linearTicks,
  logTicks,
  type Ranged,
  robustRange,
  wholeRange,
  type YAxis,
  yTicks,
} from "../src/model/yaxis";
import { curve } from "./examples";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const STEPS = 200;

const lineFrom = (values: readonly number[], log = true) =>
  lineOf(curve([...values.keys()], [...values]), log);

const run = (valueAt: (step: number) => number, { log = true, compared = true } = {}): Ranged => ({
  line: lineFrom(
    Array.from({ length: STEPS }, (_, step) => valueAt(step)),
    log,
  ),
  compared,
});

/** A noisy loss that comes down from 2.3. */
const noise = (step: number) => Math.sin(12.9898 * step) * 0.5;
const healthy = (step: number) => 2.3 * 10 ** (-step / STEPS + noise(step));
/** Flat at 2.3 but for an explosion of 15 steps. */
const explodes = (step: number) =>
  step > 0 && step < 16 ? 4e16 / 10 ** Math.abs(step - 4) : 2.3 + 0.01 * noise(step);

/** The share of the height of the plot that some values take. */
function share(axis: YAxis, { line }: Ranged): number {
  const drawn = line.max.filter((value) => value !== null);
  return heightOf(axis, Math.max(...drawn)) - heightOf(axis, Math.min(...drawn));
}

test("an explosion of one of the compared runs leaves the other at least 60 % of the height", () => {
  const [a, b] = [run(explodes), run(healthy)];
  expect(share(wholeRange([a.line, b.line], true), b)).toBeLessThan(0.2);
  expect(share(robustRange([a, b], true), b)).toBeGreaterThan(0.6);
});

test.each([1e16, 1e30, 1e300])("a run behind that goes to %d for good leaves the picture", (to) => {
  const behind = run((step) => (step < 20 ? 2.3 : to), { compared: false });
  const runs = [run(healthy), run((step) => 1.3 * healthy(step)), behind];
  const axis = robustRange(runs, true);
  expect(axis.high).toBeLessThan(100);
  expect(runs.slice(0, 2).every((each) => share(axis, each) > 0.6)).toBe(true);
});

test("a compared run that explodes for good leaves the picture, one that goes down does not", () => {
  expect(
    robustRange([run((step) => (step < 50 ? 2 : 1e30)), run(healthy)], true).high,
  ).toBeLessThan(100);
  const down = run((step) => 2 * 10 ** (-step / 40));
  const axis = robustRange([run(() => 2.3), down], true);
  expect(axis.low).toBeLessThan(1e-4);
});

test("where nothing is an outlier, all is shown", () => {
  const alone = [
    run(healthy),
    run((step) => 2.3 * Math.exp(-step / 5) + 0.002, { log: true }), // down within a few steps
    run((step) => (step < 100 ? 1 : 1e9)), // half of the only run
  ];
  for (const each of alone) {
    expect(robustRange([each], true)).toEqual(wholeRange([each.line], true));
  }
  const linear = [
    run((step) => 2.3 * Math.exp(-step / 5) + 0.02, { log: false }),
    run(() => 0, { log: false }),
    run((step) => step, { log: false }),
  ];
  for (const each of linear) {
    expect(robustRange([each], false)).toEqual(wholeRange([each.line], false));
  }
  const lines = linear.map(({ line }) => line);
  expect(robustRange(linear, false)).toEqual(wholeRange(lines, false));
});

test("on a linear axis, too, a few points of 1e30, up or down, are left out", () => {
  for (const far of [1e30, -1e30]) {
    const spiky = run((step) => (step === 70 || step === 71 ? far : Math.sin(step)), {
      log: false,
    });
    const { low, high } = robustRange([spiky], false);
    expect([low > -2, high < 2]).toEqual([true, true]);
  }
});

test("only what is seen counts", () => {
  const [a, b] = [run(explodes), run(healthy)];
  const seen = [100, 150] as const;
  expect(robustRange([a, b], true, seen)).toEqual(wholeRange([a.line, b.line], true, seen));
});

test("any values have a finite range with room in it", () => {
  const odd = [[], [nan], [inf, -inf], [0], [-5, 5], [1e308, -1e308], [5e-324, 1e308], [7, 7, 7]];
  for (const values of odd) {
    for (const log of [true, false]) {
      const line = lineFrom(values, log);
      for (const axis of [wholeRange([line], log), robustRange([{ line, compared: true }], log)]) {
        expect(Number.isFinite(axis.low) && Number.isFinite(axis.high)).toBe(true);
        expect(axis.low).toBeLessThan(axis.high);
        for (const tick of yTicks(axis, 300)) expect(Number.isFinite(tick)).toBe(true);
      }
    }
  }
});

test("the range has air, and a linear one reaches to zero where zero is near", () => {
  const [low, high] = Object.values(wholeRange([lineFrom([0.5, 3, 1000])], true)) as number[];
  expect([low, high]).toEqual([expect.closeTo(0.317, 2), expect.closeTo(1578, 0)]);
  expect(wholeRange([lineFrom([1, 1])], true)).toMatchObject({ low: 0.5, high: 2 });
  expect(wholeRange([lineFrom([0, 0], false)], false)).toMatchObject({ low: 0, high: 0.06 });
  expect(wholeRange([lineFrom([0.1, 2], false)], false).low).toBe(0);
});

test("where a line leaves the picture, how far it goes and with how many points is known", () => {
  const line = lineFrom([1, 50, 4e16, nan, 3e3, 1, 1e-9]);
  const axis = { low: 0.1, high: 100, log: true };
  expect(exitOf(line, axis)).toEqual({
    above: { x: 2, to: 4e16 },
    below: { x: 6, to: 1e-9 },
    points: 3,
  });
  expect(exitOf(line, axis, [4, 5])).toEqual({ above: { x: 4, to: 3e3 }, below: null, points: 1 });
  expect(exitOf(line, axis, [0, 1])).toBeNull();
});

test("ticks of a log axis are a handful of round values, however many decades it spans", () => {
  expect(logTicks([0.003, 3])).toEqual([0.01, 0.1, 1]);
  expect(logTicks([0.4, 4])).toEqual([0.5, 1, 2]);
  expect(logTicks([1e-3, 4e16])).toEqual([1e-3, 1, 1e3, 1e6, 1e9, 1e12, 1e15]);
  for (const range of [[1e-300, 1e300] as const, [5, 5.1] as const, [1, 1e5] as const]) {
    expect(logTicks(range).length).toBeLessThanOrEqual(8);
  }
  expect(yTicks({ low: 5, high: 5.1, log: true }, 200)).toEqual([5, 5.02, 5.04, 5.06, 5.08, 5.1]);
});

test("ticks of a linear axis are round, and no more than asked for", () => {
  expect(linearTicks([0, 2.4], 6)).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(linearTicks([-3e30, 3e30], 4)).toEqual([-2e30, 0, 2e30]);
  expect(linearTicks([0.1, 0.4], 4)).toEqual([0.1, 0.2, 0.3, 0.4]);
  expect(linearTicks([1, 1], 4)).toEqual([]);
});
