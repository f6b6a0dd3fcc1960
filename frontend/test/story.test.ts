import { expect, test } from "vitest";
import type { Landmark } from "../src/model/answers";
import { storyOf } from "../src/model/landmarks";

const at = (step: number, kind: string, layer: string | null = null): Landmark => ({
  kind,
  step,
  layer,
  sentence: kind,
});
const words = (...given: Parameters<typeof storyOf>) => storyOf(...given).map((each) => each.words);
const COURSE = { first: 2.29, last: 0.126, best: { step: 160, value: 0.012, words: "lowest" } };

test("what broke a run is told in order of step, each kind once", () => {
  const events = [at(1, "explosion", "conv2"), at(3, "spike"), at(4, "explosion"), at(6, "nan")];
  expect(words(events, COURSE)).toEqual([
    "explodes at step 1 in conv2",
    "spikes at step 3",
    "turns to NaN at step 6",
  ]);
});

test("the three most severe kinds are told, whatever comes first", () => {
  const mild = ["restart", "spike", "leaving", "outgrowing"].map((kind, step) => at(step, kind));
  expect(words([...mild, at(90, "nan")], null)).toEqual([
    "spikes at step 1",
    "outgrows the others at step 3",
    "turns to NaN at step 90",
  ]);
});

test("of a run in which nothing broke, first how its curve went", () => {
  const clauses = storyOf([at(7, "spike", "fc1"), at(8, "epoch")], COURSE);
  expect(clauses.map((each) => each.words)).toEqual([
    "2.29 → 0.126",
    "lowest 0.012 at step 160",
    "spikes at step 7 in fc1",
  ]);
  expect(clauses.map((each) => each.moment?.step)).toEqual([undefined, 160, 7]);
});

test("without landmarks and without a curve there is nothing to tell", () => {
  expect(storyOf([], null)).toEqual([]);
});
