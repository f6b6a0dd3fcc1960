import { expect, test } from "vitest";
import type { Curve } from "../src/model/answers";
import { brailleOf, CELLS } from "../src/model/braille";
import { crossingsOf, nextBeyond } from "../src/model/curve";
import { matchRank } from "../src/model/words";

const nan = Number.NaN;

function curveOf(max: number[], min = max): Curve {
  const steps = Float64Array.from(max.keys());
  const lastStep = max.length - 1;
  const values = { max: Float64Array.from(max), min: Float64Array.from(min) };
  return { tag: "loss", steps, times: steps, lastStep, ...values };
}

test("curves cross where one gets above the other, not where they touch or are no numbers", () => {
  const own = curveOf([3, 2, 1, 1, nan, 2, 2, 3]);
  const other = [2, 2, 2, 1, 1, 1, 2, 2];
  const found = crossingsOf(own, (step) => other[step] ?? null);
  expect(found).toEqual([
    { step: 2, above: false },
    { step: 5, above: true },
  ]);
});

test("the next higher and the next lower value are those after the step", () => {
  const curve = curveOf([2, 1, nan, 2, 3, 1]);
  expect(nextBeyond(curve, 0, "higher")).toEqual({ step: 4, value: 3 });
  expect(nextBeyond(curve, 1, "higher")).toEqual({ step: 3, value: 2 });
  expect(nextBeyond(curve, 4, "lower")).toEqual({ step: 5, value: 1 });
  expect(nextBeyond(curve, 1, "lower")).toBeNull();
});

test("a curve in braille falls, is full where it is no number, and is empty where nothing is", () => {
  const falling = Array.from({ length: 80 }, (_, at) => 80 - at);
  const line = brailleOf(curveOf(falling), [0, 80], false);
  expect([...line]).toHaveLength(CELLS);
  expect([line[0], line.at(-1)]).toEqual(["⠉", "⣀"]);
  const broken = brailleOf(
    curveOf(falling.map((value, at) => (at > 60 ? nan : value))),
    [0, 80],
    false,
  );
  expect([broken[0], broken.at(-1)]).toEqual(["⠉", "⣿"]);
  expect(brailleOf(curveOf(falling), [0, 160], false).slice(20)).toBe("⠀".repeat(20));
  expect(new Set(brailleOf(curveOf([5, 5, 5]), [0, 2], true)).size).toBe(1);
});

test("one value holds for the cells until the next, and a range is a column of dots", () => {
  expect(brailleOf(curveOf([0, 1]), [0, 1], false)).toBe(`${"⣀".repeat(39)}⡈`);
  expect(brailleOf(curveOf([1, 1], [0, 0]), [0, 1], false)).toBe("⣿".repeat(40));
});

test("what is typed is found at the beginning of words before their middle, and by letters", () => {
  const texts = ["Stop, and go back", "To the last step", "Normal speed"];
  const found = (typed: string) =>
    texts
      .filter((text) => matchRank(typed, text) !== null)
      .sort((one, other) => (matchRank(typed, one) ?? 0) - (matchRank(typed, other) ?? 0));
  expect(found("st")).toEqual(["Stop, and go back", "To the last step"]);
  expect(found("step")).toEqual(["To the last step"]);
  expect(found("nsp")).toEqual(["Normal speed"]);
  expect(found("")).toHaveLength(3);
  expect(found("xyz")).toEqual([]);
});
