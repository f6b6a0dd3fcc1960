import { expect, test } from "vitest";
import type { Summaries, Summary } from "../src/model/answers";
import {
  bestOf,
  type Facts,
  gainWords,
  panWords,
  searchOf,
  sharedPrefix,
  silentAmong,
  sorted,
  statesOf,
} from "../src/model/runs";
import { landmark, run } from "./examples";

const summary = (changes: Partial<Summary> = {}): Summary => ({
  lastStep: 99,
  lastValue: 0.5,
  age: 3_600_000,
  ended: false,
  brokenAt: null,
  brokenValue: Number.NaN,
  points: 100,
  finite: 100,
  ...changes,
});

test.each([
  [["sweep/lr-0.1", "sweep/lr-0.01"], "sweep/lr-"],
  [["sweep/a", "sweep/b", "other"], ""],
  [["sweep_10", "sweep_12"], "sweep_"],
  [["sweep/", "sweep/a"], ""],
  [["a/b", "a/b/c"], "a/"],
  [["lr0.1", "lr0.2"], ""],
  [["alone/a"], ""],
  [["", ""], ""],
  [["x-\u202eab", "x-\u202eac"], "x-"],
  [["same-name", "same-name"], "same-"],
  [[], ""],
])("what %j begin with is %j, up to a separator", (names, prefix) => {
  expect(sharedPrefix(names)).toBe(prefix);
});

test("what is left of different names is different, and never nothing", () => {
  const parts = ["a", "b", "/", "-", "_", " ", "ab"];
  for (let seed = 0; seed < 2_000; seed++) {
    const names = [...new Set([0, 1, 2].map((at) => wordOf(parts, seed * 3 + at)))];
    const prefix = sharedPrefix(names);
    const rests = names.map((name) => name.slice(prefix.length));
    expect(new Set(rests).size).toBe(names.length);
    if (prefix !== "") expect(rests).not.toContain("");
  }
});

function wordOf(parts: readonly string[], seed: number): string {
  let word = "";
  for (let rest = (seed * 7_919) % 16_807; rest > 0; rest = Math.floor(rest / 7)) {
    word += parts[rest % 7];
  }
  return word;
}

test("text is looked for in names as it is, whatever it means elsewhere", () => {
  expect(searchOf("SGD").matches("run-sgd-1")).toBe(true);
  expect(searchOf("a.b").matches("axb")).toBe(false);
  expect(searchOf("[(*").matches("x[(*y")).toBe(true);
  expect(searchOf(" ").matches("any")).toBe(true);
  expect(searchOf("/").matches("a/b")).toBe(true);
});

test("what stands between slashes is a regular expression, and a wrong one says so", () => {
  expect(searchOf("/^sgd-0\\.\\d+$/").matches("SGD-0.1")).toBe(true);
  expect(searchOf("/^sgd/").matches("not sgd")).toBe(false);
  const wrong = searchOf("/[/");
  expect(wrong.problem).toMatch(/character class/i);
  expect(wrong.matches("any")).toBe(true);
  expect(searchOf("/(/").problem).not.toBeNull();
});

const RUNS = [run("run 10"), run("run 9", true, 3), run("b", true, 5), run("a", true, 4)];
const SUMMARIES: Summaries = new Map([
  ["run 10", summary({ lastValue: 0.1 })],
  ["run 9", summary({ lastValue: Number.NaN, brokenAt: 7 })],
  ["b", summary({ lastValue: 0.3, brokenAt: 2 })],
]);

test.each([
  ["name", "loss", ["a", "b", "run 9", "run 10"]],
  ["value", "loss", ["run 10", "b", "a", "run 9"]],
  ["value", "val/accuracy", ["b", "run 10", "a", "run 9"]],
  ["broken", "loss", ["b", "run 9", "a", "run 10"]],
  ["newest", "loss", ["b", "a", "run 9", "run 10"]],
] as const)("by %s of %s, runs are in their order", (by, tag, names) => {
  expect(sorted(RUNS, by, SUMMARIES, tag).map(({ name }) => name)).toEqual(names);
});

test("runs that have problems come first, the worst of them before all", () => {
  const problems = new Map([
    ["run 10", landmark("explosion", 1, null)],
    ["a", landmark("nan", 1, null)],
  ]);
  const names = sorted(RUNS, "broken", SUMMARIES, "loss", problems).map(({ name }) => name);
  expect(names).toEqual(["a", "b", "run 9", "run 10"]);
});

test("the best have the lowest losses or the highest accuracies, and are numbers", () => {
  expect(bestOf(RUNS, SUMMARIES, "loss")).toEqual(["run 10", "b"]);
  expect(bestOf(RUNS, SUMMARIES, "accuracy")).toEqual(["b", "run 10"]);
  expect(bestOf(RUNS, null, "loss")).toEqual([]);
});

test.each([
  [[], [], []],
  [["early"], [], ["early"]],
  [[], ["late"], ["early", "middle"]],
  [["late"], ["late"], ["early", "middle", "late"]],
  [["late"], ["late", "early"], ["middle", "late"]],
  [[], ["curve", "of another run"], []],
])("with %j muted and %j alone, %j are silent", (muted, soloed, silent) => {
  expect(silentAmong(["early", "middle", "late"], new Set(muted), new Set(soloed))).toEqual(silent);
});

const FACTS: Facts = {
  gone: false,
  failed: false,
  loading: false,
  summary: summary(),
  problem: null,
  playing: null,
  growth: "old",
  restarted: false,
  hasNorms: true,
};
const wordsOf = (facts: Partial<Facts>) =>
  statesOf({ ...FACTS, ...facts }).map(({ words }) => words);

test("a run that is well, and not heard, has nothing to say", () => {
  expect(wordsOf({})).toEqual([]);
});

test("where a run stops being a number is said by its first step", () => {
  const nan = summary({ brokenAt: 1412, finite: 50 });
  const nan400 = landmark("nan", 400, "fc1");
  expect(wordsOf({ summary: nan })).toEqual(["NaN at step 1,412"]);
  expect(wordsOf({ summary: nan, problem: nan400 })).toEqual(["NaN at step 400 in fc1"]);
  expect(wordsOf({ summary: null, problem: nan400 })).toEqual(["NaN at step 400 in fc1"]);
  const explosion = landmark("explosion", 400, null);
  expect(wordsOf({ problem: explosion })).toEqual(["explosion at step 400"]);
  expect(wordsOf({ summary: nan, problem: explosion })).toEqual(["NaN at step 1,412"]);
  const inf = summary({ brokenAt: 3, brokenValue: Number.POSITIVE_INFINITY, finite: 3 });
  expect(wordsOf({ summary: inf, problem: nan400 })).toEqual(["infinity at step 3"]);
});

test("a run without a single finite value says so", () => {
  expect(wordsOf({ summary: summary({ brokenAt: 0, finite: 0 }) })).toEqual(["all NaN"]);
  const infinite = { brokenAt: 0, brokenValue: Number.NEGATIVE_INFINITY, finite: 0 };
  expect(wordsOf({ summary: summary(infinite) })).toEqual(["never finite"]);
  expect(wordsOf({ summary: summary({ points: 0, finite: 0 }) })).toEqual([]);
});

test("states come with the gravest first", () => {
  const nan = summary({ brokenAt: 5 });
  expect(
    wordsOf({ failed: true, summary: nan, playing: "playing", growth: "live", restarted: true }),
  ).toEqual(["error", "NaN at step 5", "playing", "live", "restarted"]);
  expect(wordsOf({ growth: "stalled" })).toEqual(["stalled"]);
  expect(wordsOf({ loading: true, hasNorms: false })).toEqual(["loading", "no norms"]);
  expect(wordsOf({ gone: true, growth: "live" })).toEqual(["gone"]);
});

test("gain and pan are words", () => {
  expect([-6, 0, 3].map(gainWords)).toEqual(["−6 dB", "0 dB", "+3 dB"]);
  expect([null, -0.8, 0, 1].map(panWords)).toEqual([
    "automatic",
    "80 % left",
    "centre",
    "100 % right",
  ]);
});
