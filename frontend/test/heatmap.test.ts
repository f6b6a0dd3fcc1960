import { expect, test } from "vitest";
import type { Heatmap } from "../src/model/answers";
import { decadesOf, paint } from "../src/model/heatmap";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const COLOURS = { nan: [255, 0, 0], inf: [0, 255, 0], ground: [1, 1, 1] } as const;
const RED = 0xff0000ff;
const GREEN = 0xff00ff00;

function heatmap(columns: readonly (readonly number[])[], changes: Partial<Heatmap> = {}): Heatmap {
  const layers = (columns[0] ?? []).map((_, layer) => `layer ${layer}`);
  const max = Float32Array.from(columns.flat());
  return { layers, from: 0, to: 1, columns: columns.length, max, low: 1, high: 100, ...changes };
}

function painted(map: Heatmap, width: number, height: number): number[] {
  const pixels = new Uint32Array(width * height);
  paint(pixels, width, height, map, [0, 2], COLOURS);
  return [...pixels];
}

test("a larger norm is lighter, and nothing is where nothing was logged", () => {
  const [low, middle, high, none] = painted(heatmap([[1], [10], [100], [-1]]), 4, 1);
  const sum = (pixel = 0) => (pixel & 255) + ((pixel >> 8) & 255) + ((pixel >> 16) & 255);
  expect(sum(low)).toBeLessThan(sum(middle));
  expect(sum(middle)).toBeLessThan(sum(high));
  expect(none).toBe(0);
});

test("columns are steps, rows are layers", () => {
  const pixels = painted(
    heatmap([
      [1, 100],
      [100, 1],
    ]),
    2,
    2,
  );
  expect(pixels[0]).toBe(pixels[3]);
  expect(pixels[1]).toBe(pixels[2]);
  expect(pixels[0]).not.toBe(pixels[1]);
});

test("a single spike, NaN or infinity is seen however many share its pixel", () => {
  const calm = Array.from({ length: 100 }, () => [1, 1]);
  const [plain] = painted(heatmap(calm), 1, 1);
  for (const [value, colour] of [
    [100, painted(heatmap([[100]]), 1, 1)[0]],
    [nan, RED],
    [inf, GREEN],
  ] as const) {
    const struck = calm.map((column, at) => (at === 41 ? [1, value] : column));
    expect(painted(heatmap(struck), 1, 1)).toEqual([colour]);
    expect(colour).not.toBe(plain);
  }
  const both = calm.map((_, at) => (at === 3 ? [nan, 1] : [1, inf]));
  expect(painted(heatmap(both), 1, 1)).toEqual([RED]);
});

test("the scale is of whole decades, and one for both runs", () => {
  expect(decadesOf([])).toEqual([-1, 1]);
  expect(decadesOf([heatmap([[1]], { low: null, high: null })])).toEqual([-1, 1]);
  const maps = [heatmap([[1]], { low: 0.02, high: 3 }), heatmap([[1]], { low: 1, high: 1e4 })];
  expect(decadesOf(maps)).toEqual([-2, 4]);
  expect(decadesOf([heatmap([[1]], { low: 1, high: 1 })])).toEqual([0, 1]);
});
