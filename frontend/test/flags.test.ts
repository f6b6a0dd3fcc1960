import { expect, test } from "vitest";
import { readingsAt } from "../src/model/curve";
import { flagsOf } from "../src/model/landmarks";

const flagsAt = (...pixels: number[]) => flagsOf(pixels, (pixel) => pixel, 1000);

test("flags that would overlap are one flag with all of them, and the rest have room to the next", () => {
  expect(flagsAt()).toEqual([]);
  expect(flagsAt(300, 100)).toEqual([
    { items: [100], pixel: 100, room: 200 },
    { items: [300], pixel: 300, room: 700 },
  ]);
  expect(flagsAt(100, 105, 125, 127).map(({ items }) => items)).toEqual([[100, 105, 125], [127]]);
  const many = flagsAt(...Array.from({ length: 500 }, (_, at) => 2 * at));
  expect(many.length).toBeLessThanOrEqual(40);
  expect(many.flatMap(({ items }) => items)).toHaveLength(500);
  expect(many.every(({ room }) => room >= 26)).toBe(true);
});

const { NaN: nan } = Number;
const plotted = (name: string, values: number[], from = 0) => ({
  name,
  curve: { min: Float64Array.from(values), max: Float64Array.from(values) },
  xs: values.map((_, at) => from + 10 * at),
  end: from + 10 * (values.length - 1),
});

test("the crosshair reads all runs that have a value there, the nearest to the pointer first", () => {
  const a = plotted("a", [1, 2, 3]);
  const runs = [a, plotted("b", [5, nan, 6]), plotted("c", [9], 90), plotted("d", [0, 2.5])];
  const names = (x: number, near: number | null) =>
    readingsAt(runs, x, a, near === null ? null : (value) => Math.abs(value - near)).map(
      ({ of, max, difference }) => [of.name, max, difference],
    );
  expect(names(0, null)).toEqual([
    ["a", 1, null],
    ["b", 5, 4],
    ["d", 0, -1],
  ]);
  expect(names(5, 4).map(([name]) => name)).toEqual(["b", "a", "d"]);
  expect(names(10, 2.4)).toEqual([
    ["d", 2.5, 0.5],
    ["a", 2, null],
    ["b", nan, nan],
  ]);
  expect(names(200, 0)).toEqual([]);
});
