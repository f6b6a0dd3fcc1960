import { expect, test } from "vitest";
import { extremeOf, pagesOf, pointAt, stepsIn, worstLayer } from "../src/model/curve";
import { curve } from "./examples";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const often = curve([0, 1, 2, 3, 4], [5, nan, 3, inf, 1], [5, nan, 4, inf, 1]);
const seldom = curve([0, 3, 6], [9, 8, 7]);

test("there is a row for each step at which either run has a point, within what is seen", () => {
  expect([...stepsIn([often, seldom], [0, 6])]).toEqual([0, 1, 2, 3, 4, 6]);
  expect([...stepsIn([often, seldom], [0.5, 3])]).toEqual([1, 2, 3]);
  expect([...stepsIn([seldom], [4, 5])]).toEqual([]);
  expect([...stepsIn([], [0, 1])]).toEqual([]);
});

test("a run has a value only at its own steps", () => {
  expect(pointAt(often, 2)).toEqual({ min: 3, max: 4 });
  expect(pointAt(seldom, 2)).toBeNull();
  expect(pointAt(null, 2)).toBeNull();
});

test("the extremes are finite, and the first of equal ones", () => {
  expect(extremeOf(often, "lowest")).toEqual({ step: 4, value: 1 });
  expect(extremeOf(often, "highest")).toEqual({ step: 0, value: 5 });
  expect(extremeOf(curve([0, 1], [2, 2]), "highest")).toEqual({ step: 0, value: 2 });
  expect(extremeOf(curve([0], [nan]), "lowest")).toBeNull();
});

test("the worst layer is not a number, or else the one with the largest norm", () => {
  const max = [1, 2, 3, nan, inf, 9, -1, -1, -1];
  const layers = ["one", "two", "three"];
  const heatmap = { layers, from: 0, to: 30, columns: 3, max, low: 1, high: 9 };
  expect(worstLayer(heatmap, 9)).toEqual({ layer: "three", norm: 3 });
  expect(worstLayer(heatmap, 10)).toEqual({ layer: "one", norm: nan });
  expect(worstLayer(heatmap, 30)).toBeNull();
  expect(worstLayer(heatmap, 31)).toBeNull();
  expect(worstLayer(heatmap, -1)).toBeNull();
});

test("five thousand rows are two hundred pages, and none is one", () => {
  expect(pagesOf(5_000)).toBe(200);
  expect(pagesOf(26)).toBe(2);
  expect(pagesOf(0)).toBe(1);
});
