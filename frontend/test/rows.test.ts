import { expect, test } from "vitest";
import {
  bandsOf,
  crowded,
  FOCUSED_PIXELS,
  laneHeight,
  modulesOf,
  rowAt,
  rowEdges,
  rowsOf,
} from "../src/model/layers";
import { largest } from "../src/model/norms";

const everything = { has: () => true, closed: () => false, size: null };

test("layers that share what is before a dot are a module", () => {
  const modules = modulesOf([
    "conv1",
    "layer1.0.conv1",
    "layer1.0.conv2",
    "layer1.1.conv1",
    "fc.x",
  ]);
  expect(modules.map(({ name, layers }) => [name, layers.length])).toEqual([
    [null, 1],
    ["layer1", 3],
    [null, 1],
  ]);
});

test("a module of many layers is taken apart where its parts are modules", () => {
  const layers = ["encoder", "decoder"].flatMap((half) =>
    Array.from({ length: 40 }, (_, at) => `net.${half}.${Math.floor(at / 8)}.part${at % 8}`),
  );
  const names = modulesOf([...layers, "net.head"]).map(({ name }) => name);
  expect(names[0]).toBe("net.encoder.0");
  expect(names.at(-2)).toBe("net.decoder.4");
  expect(names.at(-1)).toBe(null);
  expect(names).toHaveLength(11);
  const flat = Array.from({ length: 200 }, (_, at) => `block.${at}`);
  expect(modulesOf(flat).map(({ name }) => name)).toEqual(["block"]);
});

test("names that are hostile are names", () => {
  const names = ["", ".", "..", "...", "a", "a.", "a..b", "__proto__.x", "__proto__.y", "<b>.x"];
  const rows = rowsOf(modulesOf(names), everything);
  expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(modulesOf(names).some(({ name }) => name === "__proto__")).toBe(true);
  expect(modulesOf([])).toEqual([]);
});

test("a closed module is one row, and a lane has the rows of its own layers", () => {
  const modules = modulesOf(["conv", "a.x", "a.y", "b.x", "b.y"]);
  const rows = rowsOf(modules, {
    has: (layer) => layer !== "b.y",
    closed: (module) => module === "a",
    size: null,
  });
  expect(rows.map(({ key, layers }) => [key, layers.length])).toEqual([
    ["conv", 1],
    ["a.*", 2],
    ["b.x", 1],
  ]);
});

test("by size, NaN comes before infinity, and what has no gradient last", () => {
  const sizes = new Map([
    ["a.x", 1],
    ["a.y", Number.NaN],
    ["b.x", Number.POSITIVE_INFINITY],
    ["b.y", -1],
    ["c", 5],
  ]);
  const size = (layer: string) => sizes.get(layer) ?? -1;
  const rows = rowsOf(modulesOf([...sizes.keys()]), { ...everything, size });
  expect(rows.map(({ name }) => name)).toEqual(["a.y", "a.x", "b.x", "b.y", "c"]);
});

test("the largest of a layer is the worst of all columns", () => {
  const max = Float32Array.from([1, Number.NaN, -1, 3, 2, -1, 2, 9, -1]);
  const map = { layers: ["a", "b", "c"], from: 0, to: 3, columns: 3, max, low: 1, high: 9 };
  expect([...largest(map)]).toEqual([
    ["a", 3],
    ["b", Number.NaN],
    ["c", -1],
  ]);
});

test("the row in focus can be read, and all rows together keep their height", () => {
  const edges = rowEdges(100, 30);
  expect((edges[31] ?? 0) - (edges[30] ?? 0)).toBeCloseTo(FOCUSED_PIXELS);
  expect(edges.at(-1)).toBeCloseTo(laneHeight(100));
  expect(rowAt(edges, 0)).toBe(0);
  expect(rowAt(edges, (edges[30] ?? 0) + 7)).toBe(30);
  expect(rowAt(edges, 1e9)).toBe(99);
  expect([...rowEdges(2, 1)]).toEqual([0, 14, 42]);
  expect([...rowEdges(2, -1)]).toEqual([0, 21, 42]);
  expect([...rowEdges(1, 0)]).toEqual([0, 28]);
  expect(crowded(100)).toBe(false);
  expect(crowded(101)).toBe(true);
});

test("every layer is in a band, and bands cover every pixel once", () => {
  for (const count of [1, 3, 40, 199, 350, 1_000]) {
    const layers = Array.from({ length: count }, (_, layer) => `layer${layer}`);
    const rows = rowsOf(modulesOf(layers), everything);
    const bands = bandsOf(rows, rowEdges(count, count >> 1));
    expect(bands.flatMap((band) => band.layers)).toEqual(layers);
    expect(bands[0]?.top).toBe(0);
    expect(bands.at(-1)?.bottom).toBe(laneHeight(count));
    bands.forEach(({ top, bottom }, at) => {
      expect(bottom).toBeGreaterThan(top);
      if (at > 0) expect(bands[at - 1]?.bottom).toBe(top);
    });
  }
});
