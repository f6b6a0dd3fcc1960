import { expect, test } from "vitest";
import {
  alphaScale,
  alphasOf,
  coverOf,
  headroomWords,
  pointedWords,
  type Strips,
  sampleAt,
  sampleWords,
  shadeOf,
  steepest,
  stripAt,
  stripWords,
} from "../src/model/strips";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Three strips: a valley that is back at four steps, one that goes on down, one that is broken. */
const STRIPS: Strips = {
  steps: Float64Array.of(0, 10, 20),
  floors: Float64Array.of(2, 4, nan),
  headrooms: Float64Array.of(4, 4, nan),
  first: [0, 6, 11, 16],
  alphas: Float64Array.of(-1, 0, 1, 2, 4, 8, -1, 0, 1, 2, 4, -1, 0, 1, 2, 4),
  losses: Float64Array.of(2, 1, 0.9, 0.8, 1, 9, 2, 1, 0.5, 0.2, 0.1, 1, nan, 1, inf, 1),
  total: 3,
};

test("rows are equally high for each doubling, and fill the lane", () => {
  const { y, bands } = alphaScale(alphasOf(STRIPS), 60);
  expect(alphasOf(STRIPS)).toEqual([-1, 0, 1, 2, 4, 8]);
  expect(bands.map(({ top, bottom }) => bottom - top)).toEqual([10, 10, 10, 10, 10, 10]);
  expect([bands[0]?.bottom, bands[5]?.top]).toEqual([60, 0]);
  expect([-1, 0, 1, 2, 4, 8].map(y)).toEqual([55, 45, 35, 25, 15, 5]);
});

test("one alpha alone has a row too", () => {
  expect(alphaScale([0], 60).bands).toHaveLength(1);
});

test("a sample is that at an alpha or next to it, and none beyond what was measured", () => {
  expect(sampleAt(STRIPS, 0, 2)).toBe(3);
  expect(sampleAt(STRIPS, 0, 2.5)).toBe(3);
  expect(sampleAt(STRIPS, 1, 8)).toBe(-1);
  expect(sampleAt(STRIPS, 1, 4)).toBe(10);
});

test("shades tell lower from higher, over three decades; what is no number stays so", () => {
  const most = steepest(STRIPS);
  expect(most).toBe(1);
  expect(shadeOf(2, 1, most)).toBe(1);
  expect(shadeOf(99, 1, most)).toBe(1);
  expect(shadeOf(1.1, 1, most)).toBeCloseTo(2 / 3);
  expect(shadeOf(0.9, 1, most)).toBeCloseTo(-2 / 3);
  expect(Math.abs(shadeOf(1, 1, most))).toBe(0);
  expect(shadeOf(1.0001, 1, most)).toBe(0);
  expect(shadeOf(nan, 1, most)).toBeNaN();
  expect(shadeOf(inf, 1, most)).toBe(inf);
  expect(shadeOf(1, nan, most)).toBeNaN();
  expect(shadeOf(0.5, 0, most)).toBeCloseTo(1 - Math.log10(2) / 3);
});

test("a strip covers the pixels up to the next one, and no more where that is far", () => {
  expect([...coverOf(STRIPS, 6, (step) => step / 5)]).toEqual([0, 0, 1, 1, 2, 2]);
  const apart = { ...STRIPS, steps: Float64Array.of(0, 10, 90), first: [0, 6, 11, 16] };
  expect([...coverOf(apart, 12, (step) => step / 10)].slice(0, 11)).toEqual([
    0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
  ]);
  expect(stripAt(STRIPS, 9)).toBe(0);
  expect(stripAt(STRIPS, -1)).toBe(-1);
});

test("a strip in words", () => {
  expect(stripWords(STRIPS, 0)).toBe("loss 1 here; floor 2 steps ahead; headroom 4 steps");
  expect(headroomWords(STRIPS, 1)).toBe("headroom more than 4 steps");
  expect(stripWords(STRIPS, 2)).toBe("loss NaN here; no finite loss; not a number here");
  expect(headroomWords({ ...STRIPS, headrooms: Float64Array.of(0) }, 0)).toBe(
    "the step leads uphill",
  );
  expect(sampleWords(STRIPS, 0, -1)).toBe("one step back: loss 2, 100% above here");
  expect(sampleWords(STRIPS, 0, 8)).toBe("8 steps ahead: loss 9, 800% above here");
  expect(sampleWords(STRIPS, 1, 2)).toBe("2 steps ahead: loss 0.2, 80% below here");
  expect(sampleWords(STRIPS, 1, 8)).toContain("not measured");
  expect(sampleWords(STRIPS, -1, 0)).toBe("here: no strip yet");
  expect(pointedWords(STRIPS, 0, 4)).toBe(
    "step 0, 4 steps ahead: loss 1, as here; headroom 4 steps",
  );
});
