import { expect, test } from "vitest";
import { changes, known } from "../src/effects/loading";
import type { Reached } from "../src/model/answers";

const NOTHING = { all: false, grown: [] };
const of = (norms: string | null, points: string | null): Reached => ({ norms, points });
const seen = (tag: string | null, states: Record<string, Reached>, runs = "r") =>
  known([tag, ...Object.keys(states)], { runs, states: Object.values(states) });

test("what has more is told by its name", () => {
  const before = seen("loss", { a: of("1", "1"), b: of("1", "1") });
  expect(changes(before, before)).toEqual(NOTHING);
  const norms = seen("loss", { a: of("1", "1"), b: of("2", "1") });
  expect(changes(before, norms)).toEqual({ all: false, grown: ["b"] });
  const points = seen("loss", { a: of("1", "2"), b: of("2", "1") });
  expect(changes(before, points)).toEqual({ all: false, grown: ["a", "b"] });
});

test("what was not there, or is gone, changes all", () => {
  const before = seen("loss", { a: of(null, "1") });
  expect(changes(before, seen("loss", { a: of(null, "1") }, "other")).all).toBe(true);
  expect(changes(before, seen("loss", { a: of("1", "1") })).all).toBe(true);
  expect(changes(before, seen("loss", { a: of(null, null) })).all).toBe(true);
});

test("another choice is no change, and hides none", () => {
  const before = seen("loss", { a: of("1", "1") });
  expect(changes(before, seen("loss", { a: of("1", "1"), b: of("1", null) }))).toEqual(NOTHING);
  expect(changes(before, seen("lr", { a: of("1", "9") }))).toEqual(NOTHING);
  const grown = { all: false, grown: ["a"] };
  expect(changes(before, seen("loss", { b: of("1", "1"), a: of("2", "1") }))).toEqual(grown);
  expect(changes(before, seen("lr", { a: of("2", null) }))).toEqual(grown);
});
