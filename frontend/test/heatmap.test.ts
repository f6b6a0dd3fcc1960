import { expect, test } from "vitest";
import type { Heatmap } from "../src/model/answers";
import { COLOURFUL, plain } from "../src/model/colours";
import {
  areBeyond,
  decadesOf,
  doublings,
  paint,
  shade,
  shadeDifference,
} from "../src/model/heatmap";
import { pixelEdges, pool } from "../src/model/norms";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const PATTERNS = {
  nan: [255, 0, 0],
  inf: [0, 255, 0],
  alone: [0, 0, 255],
  zero: [9, 9, 9],
  ground: [1, 1, 1],
} as const;
const RED = 0xff0000ff;
const GREEN = 0xff00ff00;
const BLUE = 0xffff0000;
const GROUND = 0xff010101;

function heatmap(columns: readonly (readonly number[])[], changes: Partial<Heatmap> = {}): Heatmap {
  const layers = (columns[0] ?? []).map((_, layer) => `layer ${layer}`);
  const max = Float32Array.from(columns.flat());
  return { layers, from: 0, to: 1, columns: columns.length, max, low: 1, high: 100, ...changes };
}

/** Bands of one pixel each, which share the layers evenly. */
function bands(map: Heatmap, height: number) {
  const per = Math.ceil(map.layers.length / height);
  return Array.from({ length: height }, (_, top) => ({
    top,
    bottom: top + 1,
    layers: map.layers.slice(top * per, (top + 1) * per),
  }));
}

const pooled = (map: Heatmap, width: number, height: number) =>
  pool(
    map,
    bands(map, height).map(({ layers }) => layers),
    pixelEdges([0, 1], width, (x) => x),
  );

function painted(map: Heatmap, width: number, height: number): number[] {
  const pixels = new Uint32Array(width * height);
  const cells = shade(pooled(map, width, height), [0, 2], COLOURFUL.norms);
  paint(pixels, width, bands(map, height), cells, PATTERNS);
  return [...pixels];
}

const brightness = (pixel = 0) => (pixel & 255) + ((pixel >> 8) & 255) + ((pixel >> 16) & 255);

test("a larger norm is lighter, and nothing is where nothing was logged", () => {
  const [low, middle, high, none] = painted(heatmap([[1], [10], [100], [-1]]), 4, 1);
  expect(brightness(low)).toBeLessThan(brightness(middle));
  expect(brightness(middle)).toBeLessThan(brightness(high));
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

test("a spike of one column is seen wherever the pixels lie, and nowhere else", () => {
  for (let at = 0; at < 97; at++) {
    const struck = Array.from({ length: 97 }, (_, column) => [column === at ? 100 : 1]);
    const norms = [...pooled(heatmap(struck), 13, 1)];
    const seen = norms.flatMap((norm, pixel) => (norm === 100 ? [pixel] : []));
    expect(seen.length).toBeGreaterThan(0);
    for (const pixel of seen) {
      expect(pixel / 13).toBeLessThan((at + 1) / 97);
      expect((pixel + 1) / 13).toBeGreaterThan(at / 97);
    }
  }
});

test("where a pixel is a column, it shows that column alone", () => {
  const norms = Array.from({ length: 901 }, (_, column) => [column]);
  const map = heatmap(norms, { from: 3, to: 904 });
  const edges = pixelEdges([3, 904], 901, (x) => x);
  expect([...pool(map, [["layer 0"]], edges)]).toEqual(norms.flat());
});

test("pixels follow any monotone axis, and show nothing beyond what was fetched", () => {
  const map = heatmap([[1], [2], [3], [4]], { from: 0, to: 4 });
  const bent = pixelEdges([-1, 3], 4, (x) => (x < 0 ? x : x ** 2));
  // From -1 to 0, 1, 4 and 9 steps.
  expect([...pool(map, [["layer 0"]], bent)]).toEqual([-1, 1, 4, -1]);
});

test("the scale is of whole decades, and one for both runs", () => {
  expect(decadesOf([])).toEqual([-1, 1]);
  expect(decadesOf([heatmap([[0, nan, -1, inf]])])).toEqual([-1, 1]);
  expect(decadesOf([heatmap([[0.02, 3]]), heatmap([[1, 9e3]])])).toEqual([-2, 4]);
  expect(decadesOf([heatmap([[1]])])).toEqual([0, 1]);
});

test("an explosion leaves the colours to what else is seen, and is marked as beyond them", () => {
  const steps = [...Array(200).keys()];
  const healthy = heatmap(steps.map((step) => [1 + Math.sin(step), 0.2]));
  const exploding = heatmap(steps.map((step) => (step < 8 ? [1e19, 1e16] : [0.3, 0])));
  const maps = [healthy, exploding];
  expect(decadesOf(maps)[1]).toBe(1);
  expect(areBeyond(maps, decadesOf(maps))).toBe(true);
  expect(areBeyond([healthy], decadesOf([healthy]))).toBe(false);
  const gone = heatmap(steps.map((step) => (step < 100 ? [0.3, 0.3] : [1e12, 1e12])));
  expect(decadesOf([healthy, gone])[1]).toBe(1);
  expect(decadesOf([gone])).toEqual([-1, 12]);
});

test("zero has a colour of its own, and what is beyond the scale is dotted in its last one", () => {
  const full = (norm: number) => painted(heatmap(Array(4).fill([norm, norm, norm, norm])), 4, 4);
  expect(new Set(full(0))).toEqual(new Set([0xff090909]));
  expect(full(1e9).filter((pixel) => pixel === GROUND)).toHaveLength(1);
  expect(new Set(full(1e9)).size).toBe(2);
  expect(new Set(full(100)).size).toBe(1);
});

test("a difference is white where there is none, and as strong either way", () => {
  const cells = (norms: number[], others: number[], lined = false) => [
    ...shadeDifference(
      Float32Array.from(norms),
      Float32Array.from(others),
      3,
      lined ? plain([0, 0, 0], [255, 255, 255]).differences : COLOURFUL.differences,
      lined,
    ),
  ];
  const [same, zeros, more, less, most, over] = cells([1, 0, 2, 1, 8, 100], [1, 0, 1, 2, 1, 0]);
  expect(same).toBe(0xff000000 + (224 << 16) + (229 << 8) + 236);
  expect(zeros).toBe(same);
  expect(new Set([same, more, less, most]).size).toBe(4);
  expect(brightness(more)).toBeLessThan(brightness(same));
  expect(brightness(less)).toBeLessThan(brightness(same));
  expect(over).toBe(most);
  const [up, down] = cells([4, 1], [1, 4], true);
  expect((down ?? 0) - (up ?? 0)).toBe(2 ** 32);
});

test("a difference with what is not a number is hatched, and with nothing chequered", () => {
  const norms = Float32Array.from([nan, 1, inf, 1, -1, -1]);
  const others = Float32Array.from([1, nan, 1, -1, 1, -1]);
  const cells = shadeDifference(norms, others, 3, COLOURFUL.differences, false);
  const pixels = new Uint32Array(6 * 8);
  paint(pixels, 6, [{ top: 0, bottom: 8, layers: [] }], cells, PATTERNS);
  const colours = Array.from({ length: 6 }, (_, x) =>
    [...new Set(pixels.filter((_, at) => at % 6 === x))].sort(),
  );
  expect(colours[0]).toEqual([RED, GROUND].sort());
  expect(colours[1]).toEqual(colours[0]);
  expect(colours[2]).toEqual([GREEN, GROUND].sort());
  expect(colours[3]).toEqual([BLUE, GROUND].sort());
  expect(colours[4]).toEqual(colours[3]);
  expect(colours[5]).toEqual([0]);
  expect(doublings(8, 1)).toBe(3);
});
