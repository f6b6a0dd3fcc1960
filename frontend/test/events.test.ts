import { expect, test } from "vitest";
import { within } from "../src/model/axis";
import { sharedScale } from "../src/model/curve";
import { eventWords, neighbour } from "../src/model/landmarks";
import { curve } from "./examples";

const steps = [{ step: 10 }, { step: 20 }, { step: 30 }];

test("the next landmark is after the playhead, the one before is before it", () => {
  expect(neighbour(steps, 10, 1)).toBe(steps[1]);
  expect(neighbour(steps, 15, 1)).toBe(steps[1]);
  expect(neighbour(steps, 20, -1)).toBe(steps[0]);
  expect(neighbour(steps, 30, 1)).toBeUndefined();
  expect(neighbour(steps, 10, -1)).toBeUndefined();
});

test("a landmark is said with its step", () => {
  const landmark = { kind: "nan", step: 1_240, layer: "fc1", sentence: "NaN, first in fc1" };
  expect(eventWords(landmark)).toBe("step 1,240: NaN, first in fc1");
});

test("what is seen stays within the run, and is all of it where they do not meet", () => {
  expect(within([0, 100], null)).toEqual([0, 100]);
  expect(within([0, 100], [20, 40])).toEqual([20, 40]);
  expect(within([0, 100], [80, 140])).toEqual([80, 100]);
  expect(within([0, 100], [200, 300])).toEqual([0, 100]);
});

test("scalars that are compared share one scale, with round ends", () => {
  const one = curve([0, 1], [0.023, 2.9]);
  const other = curve([0, 1], [0.5, Number.NaN]);
  expect(sharedScale([one, other])).toEqual({ kind: "log", low: 0.02, high: 5 });
  expect(sharedScale([curve([0, 1], [-0.12, 0.93])])).toEqual({
    kind: "linear",
    low: -1,
    high: 1,
  });
  expect(sharedScale([curve([0, 1], [3, 3])])).toEqual({ kind: "linear", low: 3, high: 4 });
  expect(sharedScale([curve([0], [Number.NaN])])).toBeNull();
  expect(sharedScale([])).toBeNull();
});
