import { expect, test } from "vitest";
import type { Coverage } from "../src/model/answers";
import { rowByRowFor } from "../src/model/notes";

/** A run of single rows at every other step, then notes of 8. */
const coverage = {
  steps: Float64Array.from({ length: 5_001 }, (_, note) =>
    note < 200 ? 2 * note : 400 + 16 * (note - 200),
  ),
  rowsPerNote: [1, 8],
  layers: ["a", "b"],
} as unknown as Coverage;

test("what is near is taken apart, with as much on both sides", () => {
  expect(rowByRowFor(coverage, [10_000, 10_500], null)).toEqual([9_500, 11_000]);
});

test("what is far is not", () => {
  expect(rowByRowFor(coverage, [10_000, 20_000], null)).toBeNull();
});

test("a stretch stays as long as it holds what is seen", () => {
  const last = [9_500, 11_000] as const;
  expect(rowByRowFor(coverage, [10_400, 10_900], last)).toBe(last);
  expect(rowByRowFor(coverage, [10_600, 11_100], last)).toEqual([10_100, 11_600]);
  expect(rowByRowFor(coverage, [10_000, 10_010], last)).toEqual([9_990, 10_020]);
});

test("the more layers, the fewer rows", () => {
  const layers = Array.from({ length: 2_000 }, (_, layer) => `layer${layer}`);
  expect(rowByRowFor({ ...coverage, layers }, [10_000, 11_000], null)).toEqual([9_000, 12_000]);
  expect(rowByRowFor({ ...coverage, layers }, [10_000, 11_500], null)).toBeNull();
});

test("a run of single rows has nothing to be taken apart", () => {
  expect(rowByRowFor({ ...coverage, rowsPerNote: [1, 1] }, [10, 20], null)).toBeNull();
});
