import { expect, test } from "vitest";
import type { Heatmap } from "../src/model/answers";
import { resampled } from "../src/model/resample";

const whole: Heatmap = {
  layers: ["one", "two"],
  from: 0,
  to: 4,
  columns: 4,
  max: Float32Array.of(1, 10, 2, 20, Number.NaN, 30, 4, -1),
  low: 1,
  high: 30,
};
const columnsOf = (from: number, to: number, columns: number) =>
  Array.from(resampled(whole, from, to, columns).max);

test("a part of a heat-map in as many columns is that part", () => {
  expect(columnsOf(1, 3, 2)).toEqual([2, 20, Number.NaN, 30]);
});

test("a column holds the worst of those that it sums up", () => {
  expect(columnsOf(0, 4, 2)).toEqual([2, 20, Number.NaN, 30]);
});

test("columns that are finer repeat what there is", () => {
  expect(columnsOf(0, 2, 4)).toEqual([1, 10, 1, 10, 2, 20, 2, 20]);
});

test("there is nothing beyond its ends", () => {
  expect(columnsOf(3, 5, 2)).toEqual([4, -1, -1, -1]);
  expect(columnsOf(-1, 1, 2)).toEqual([-1, -1, 1, 10]);
});
