import { expect, test } from "vitest";
import { hullOf, pixelOf, xOf } from "../src/model/axis";
import { brokenSpans, lineOf, needsLog, valueAt } from "../src/model/curve";
import { curve } from "./examples";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

test("what is not a number is a gap", () => {
  const line = lineOf(curve([0, 1, 2, 3], [1, nan, inf, -inf]), false);
  expect(line.max).toEqual([1, null, null, null]);
});

test("zero and below are gaps on a log axis only", () => {
  const loss = curve([0, 1, 2], [1, 0, -3]);
  expect(lineOf(loss, true).max).toEqual([1, null, null]);
  expect(lineOf(loss, false).max).toEqual([1, 0, -3]);
});

test("a bin with one drawable end is drawn there", () => {
  const line = lineOf(curve([0, 1], [-1, nan], [5, nan]), true);
  expect(line).toMatchObject({ min: [5, null], max: [5, null], banded: false });
});

test("only a thinned curve has a band", () => {
  expect(lineOf(curve([0, 1], [1, 2]), false).banded).toBe(false);
  expect(lineOf(curve([0, 1], [1, 2], [1, 3]), false).banded).toBe(true);
});

test("an explosion needs a log axis, an ordinary loss and one that touches zero do not", () => {
  const needed = (...curves: number[][]) =>
    needsLog(curves.map((values) => curve([...values.keys()], values)));
  expect(needed([2.3, 4e16, 2.4])).toBe(true);
  expect(needed([2.3, 0.01], [1e5, inf])).toBe(true);
  expect(needed([2.3, 0.01])).toBe(false);
  expect(needed([2.3, 4e16, 0])).toBe(false);
  expect(needed([nan], [])).toBe(false);
});

test("the value at a step is that of the last point not after it", () => {
  const loss = curve([10, 20, 30], [1, 2, 3], [1, 2.5, 3]);
  expect(valueAt(loss, 9)).toBeNull();
  expect(valueAt(loss, 10)).toEqual({ min: 1, max: 1 });
  expect(valueAt(loss, 29.9)).toEqual({ min: 2, max: 2.5 });
  expect(valueAt(loss, 999)).toEqual({ min: 3, max: 3 });
});

test("the stretches that are not numbers are found, each up to the next number", () => {
  expect(brokenSpans(curve([5, 6, 7, 8, 9], [1, inf, nan, 2, nan]))).toEqual([
    [6, 8],
    [9, 9],
  ]);
  expect(brokenSpans(curve([5, 6], [1, 2]))).toEqual([]);
});

test("the hull is around all that is there", () => {
  expect(hullOf([5, null, 90, undefined, 2])).toEqual([2, 90]);
  expect(hullOf([4])).toEqual([4, 4]);
  expect(hullOf([null])).toBeNull();
});

test("a pixel and its step belong together, and no step is outside the axis", () => {
  const axis = { from: 100, to: 300, left: 60, width: 800 };
  expect(pixelOf(axis, 100)).toBe(60);
  expect(pixelOf(axis, 300)).toBe(860);
  expect(xOf(axis, pixelOf(axis, 173.5))).toBeCloseTo(173.5, 9);
  expect(xOf(axis, 0)).toBe(100);
  expect(xOf(axis, 5000)).toBe(300);
});
