import { expect, test } from "vitest";
import type { RunState } from "../src/model/answers";
import { alarmTitle, type Watch, watch, worstOf } from "../src/model/watch";
import { landmark } from "./examples";

const state = (run: string, lastStep: number, changes: Partial<RunState> = {}): RunState => ({
  run,
  lastStep,
  newestStep: lastStep,
  lastTime: lastStep,
  age: 0,
  ended: false,
  problems: [],
  ...changes,
});

/** What is told of some answers, each after so many seconds. */
function toldOf(...answers: readonly (readonly [number, readonly RunState[]])[]) {
  let before: Watch | null = null;
  const told = answers.map(([seconds, states]) => {
    const { after, told } = watch(before, states, 1_000 * seconds);
    before = after;
    return told.map(({ text }) => text.replace(/[\u2068\u2069]/g, ""));
  });
  return { told, after: before ?? new Map() };
}

const NAN = landmark("nan", 8, "fc1");
const EXPLOSION = landmark("explosion", 6, "conv2");

test("what a run was when it was first looked at is no news, and what breaks then is, once", () => {
  const early = state("a", 7, { problems: [EXPLOSION] });
  const { told, after } = toldOf(
    [0, [early, state("b", 7, { problems: null })]],
    [1, [early, state("b", 7, { problems: [EXPLOSION] })]],
    [2, [state("a", 9, { problems: [NAN, EXPLOSION] })]],
    [3, [state("a", 10, { problems: [{ ...NAN, step: 9 }, EXPLOSION] })]],
  );
  expect(told).toEqual([[], [], ["a, step 8: nan in fc1"], []]);
  expect(alarmTitle(after)).toBe("⚠ NaN, a");
  expect(worstOf(after).map(({ run, problem }) => [run, problem.kind])).toEqual([
    ["a", "nan"],
    ["b", "explosion"],
  ]);
});

test("what breaks after a run was first seen is news, also where it is looked into only then", () => {
  const [unknown, longer] = [7, 9].map((step) => state("a", step, { problems: null }));
  const { told } = toldOf(
    [0, [unknown ?? state("a", 7)]],
    [1, [longer ?? state("a", 9)]],
    [2, [state("a", 12, { problems: [NAN, EXPLOSION] })]],
    [3, [state("a", 14, { problems: [NAN, EXPLOSION] })]],
  );
  expect(told).toEqual([[], [], ["a, step 8: nan in fc1"], []]);
});

test("a run that begins while the page is open is told with all that breaks in it", () => {
  const old = state("old", 99, { age: 9e6, problems: [NAN] });
  const { told } = toldOf(
    [0, []],
    [1, [old, state("new", 7, { problems: null })]],
    [2, [old, state("new", 9, { problems: [NAN] })]],
    [3, [old, state("new", 9, { problems: [NAN], ended: true })]],
  );
  expect(told).toEqual([[], ["new began"], ["new, step 8: nan in fc1"], ["new ended at step 9"]]);
});

test("a run that writes nothing for a minute has stalled, longer where it writes in bursts", () => {
  const [at5, at6, at7] = [5, 6, 7].map((step) => [state("a", step)] as const);
  const { told, after } = toldOf(
    [0, at5 ?? []],
    [59, at5 ?? []],
    [60, at5 ?? []],
    [90, at5 ?? []],
    [120, at6 ?? []],
    [300, at6 ?? []],
    [301, at7 ?? []],
    [600, at7 ?? []],
    [700, at7 ?? []],
  );
  const stalled = "a has written nothing for 60 s";
  const news = [[], [], [stalled], [], ["a writes again"], [], [], [], []];
  expect(told).toEqual(news.with(8, ["a has written nothing for 6 minutes"]));
  expect(alarmTitle(after)).toBe("⚠ stalled, a");
});

test("what has no news from a minute ago was never live, and a clock that is wrong does not matter", () => {
  const old = toldOf(
    [0, [state("a", 5, { age: 61_000 })]],
    [80, [state("a", 5, { age: 141_000 })]],
  );
  expect(old.told).toEqual([[], []]);
  expect(old.after.get("a")?.state).toBe("old");
  for (const age of [9e9, -9e9]) {
    const { after } = toldOf([0, [state("a", 5, { age })]], [9, [state("a", 6, { age })]]);
    expect(after.get("a")?.state).toBe("live");
  }
});

test("a run that goes back is told, and may break once more", () => {
  const { told, after } = toldOf(
    [0, [state("a", 7)]],
    [1, [state("a", 9, { problems: [NAN] })]],
    [2, [state("a", 3, { lastTime: 10, problems: [] })]],
    [3, [state("a", 9, { lastTime: 11, problems: [NAN] })]],
  );
  const nan = "a, step 8: nan in fc1";
  expect(told).toEqual([[], [nan], ["a went back to step 3"], [nan]]);
  expect(after.get("a")?.wentBack).toBe(true);
});

test("a run is gone once it has been missing for a while, and not while a server starts anew", () => {
  const both = [state("a", 7), state("b", 7)];
  const { told } = toldOf(
    [0, both],
    [1, []],
    [30, both],
    [31, [state("b", 8)]],
    [40, [state("a", 7), state("b", 2, { lastTime: 2 })]], // a server that reads it anew
    [41, [state("b", 9)]],
    [57, [state("b", 10)]],
    [58, [state("b", 11)]],
  );
  expect(told).toEqual([[], [], [], [], [], [], ["a is gone"], []]);
});

test("ten minutes of fifty runs that break: each is told once", () => {
  const runs = Array.from({ length: 50 }, (_, number) => `run${number}`);
  const broken = landmark("nan", 300, "fc1");
  const answers = Array.from({ length: 600 }, (_, second) => {
    const states = runs.map((run, at) => {
      const problems = second > 300 + at ? [broken, EXPLOSION] : second > 200 ? [EXPLOSION] : [];
      return state(run, second, { problems });
    });
    return [second, states] as const;
  });
  const told = toldOf(...answers).told.flat();
  expect(told).toHaveLength(100);
  expect(new Set(told).size).toBe(100);
});
