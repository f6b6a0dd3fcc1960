import { expect, test } from "vitest";
import type { Block } from "../src/server/block";
import { readCoverage } from "../src/server/readers";

const answer = (
  firstNote: number,
  steps: readonly number[],
  segments: readonly object[],
): Block => ({
  header: {
    ...{ key: `${firstNote}-k`, first_note: firstNote, layers: ["a"], streams: [], scale: null },
    ...{ rows_per_note: [1, 1], segments, presets: [], formats: [], missing: [], sampled: [] },
    points_kept: null,
  },
  arrays: new Map([
    ["steps", Float64Array.from(steps)],
    ["times", Float64Array.from(steps, (step) => step + 0.5)],
  ]),
});
const segment = (first: number, notes: number, digest: string) => ({
  ...{ first_note: first, notes, digest },
  state: "logged",
});

test("what has been added is put after what is known", () => {
  const older = readCoverage(
    answer(0, [0, 1, 2, 3], [segment(0, 2, "x"), segment(2, 1, "y")]),
    null,
  );
  const newer = readCoverage(answer(2, [2, 3, 4], [segment(2, 2, "z")]), older);
  expect([...newer.steps]).toEqual([0, 1, 2, 3, 4]);
  expect([...newer.times]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
  expect(newer.segments.map(({ digest }) => digest)).toEqual(["x", "z"]);
  expect(newer.key).toBe("2-k");
  const other = readCoverage(answer(0, [0, 7], [segment(0, 1, "w")]), newer);
  expect([...other.steps]).toEqual([0, 7]);
  expect(other.segments.length).toBe(1);
});

test("an answer that begins after all that is known is none", () => {
  expect(() => readCoverage(answer(2, [2, 3], []), null)).toThrow("begins too late");
});
