import { expect, test } from "vitest";
import { describeMove, describePlace } from "../src/model/landmarks";
import { layerNorms, nanLayers } from "../src/model/norms";
import {
  formatDifference,
  formatRange,
  formatStep,
  formatValue,
  shownName,
  spokenName,
} from "../src/model/words";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

test.each([
  [0.48213, "0.4821"],
  [2.3, "2.3"],
  [123_456, "123500"],
  [12_345_678, "1.23e7"],
  [0.00001234, "1.23e−5"],
  [-0.5, "−0.5"],
  [0, "0"],
  [nan, "NaN"],
  [inf, "Inf"],
  [-inf, "−Inf"],
])("%s is written as %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

test("a name of which nothing is seen is shown as none", () => {
  const unseen = ["", " ", "\u00a0\t", "\u200b", "\u202e\u2066", "\n"];
  expect(unseen.map(shownName)).toEqual(unseen.map(() => "(no name)"));
  for (const name of ["a", "\u202egnp", "👩‍🔬", "数"]) expect(shownName(name)).toBe(name);
});

test("a step is whole, and is the one whose row is heard", () => {
  expect(formatStep(1240.99)).toBe("1,240");
  expect(formatStep(41.9999999)).toBe("42");
});

test("ranges and differences say so when there is nothing to say", () => {
  expect(formatRange(null)).toBe("—");
  expect(formatRange({ min: nan, max: nan })).toBe("NaN");
  expect(formatRange({ min: 1, max: 2 })).toBe("1 to 2");
  expect(formatDifference(1, 3)).toBe("−2");
  expect(formatDifference(3, 1)).toBe("+2");
  expect(formatDifference(nan, 1)).toBe("—");
});

test("a name in a sentence is short, never empty, and isolated where it is right to left", () => {
  expect(spokenName("שלום")).toBe("\u2068שלום\u2069");
  expect(spokenName("\u202egnp")).toBe("\u2068\u202egnp\u2069");
  expect(spokenName("sgd")).toBe("sgd");
  expect([...spokenName("🔥".repeat(300))]).toHaveLength(60);
  expect(spokenName("")).toBe("(no name)");
});

const place = { run: "a", step: 10, tag: "loss", value: { min: 2, max: 2 } };

test("a place is said in full", () => {
  expect(describePlace(place)).toBe("a, step 10, loss 2");
  expect(describePlace({ ...place, run: null, value: null })).toBe("step 10");
  const beside = { tag: "val", value: { min: 3, max: 3 } };
  expect(describePlace({ ...place, run: null, beside })).toBe("step 10, loss 2, val 3");
});

test("a move says only what has changed", () => {
  expect(describeMove(place, { ...place, step: 11, value: { min: 1, max: 1 } })).toBe(
    "step 11, 1, down 50 %",
  );
  const at = (value: number) => ({ ...place, step: 11, value: { min: value, max: value } });
  expect(describeMove(place, at(192_631.7))).toBe("step 11, 192600, up by a factor of 96,000");
  expect(describeMove(place, at(2e-7))).toContain("down by more than a million times");
  expect(describeMove(at(-2), at(-1))).toContain("up 50 %");
  expect(describeMove(place, { ...place, step: 11, value: { min: nan, max: nan } })).toBe(
    "step 11, NaN",
  );
  expect(describeMove(place, { ...place, run: "b" })).toBe("b, step 10, 2");
});

test("norms are said in words where they are not numbers", () => {
  const table = {
    firstNote: 100,
    notes: 2,
    layers: ["fine", "wide", "dead", "nan", "partly", "inf", "none"],
    median: [0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0, -1, 1, -1, -1],
    max: [0, 0, 0, 0, 0, 0, 0, 0.5, 0.75, 0, -1, 2, -1, -1],
    nan: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0],
    inf: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0],
  };
  const norms = layerNorms(table, 101, "gradient");
  expect(norms.map(({ text }) => text)).toEqual([
    "0.5",
    "0.75, median 0.5",
    "0",
    "NaN",
    "NaN, else 2, median 1",
    "Inf",
    "no gradient",
  ]);
  expect(norms.map(({ alarm }) => alarm)).toEqual([null, null, "zero", "nan", "nan", "inf", null]);
  expect(nanLayers(norms)).toEqual(["nan", "partly"]);
  expect(layerNorms(table, 102, "gradient")).toEqual([]);
});
