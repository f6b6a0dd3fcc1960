import { expect, test } from "vitest";
import type { Summary } from "../src/model/answers";
import { grown, isLive } from "../src/model/growth";

const summary = (lastStep: number, changes: Partial<Summary> = {}): Summary => ({
  lastStep,
  lastValue: 1,
  age: 0,
  ended: false,
  brokenAt: null,
  brokenValue: Number.NaN,
  points: lastStep + 1,
  finite: lastStep + 1,
  ...changes,
});

test("a run that was killed is live for two minutes after its last point, and then no longer", () => {
  const last = summary(10, { age: 30_000 });
  let memory = grown(undefined, last, 1_000);
  expect(isLive(memory, 1_000)).toBe(true);
  memory = grown(memory, last, 90_000);
  expect(isLive(memory, 90_000)).toBe(true);
  expect(isLive(grown(memory, last, 92_000), 92_000)).toBe(false);
  // Nor if it is asked for again.
  expect(isLive(grown(memory, summary(10, { age: 121_000 }), 92_000), 92_000)).toBe(false);
});

test("what is written by another clock is live as long as it is seen to grow", () => {
  for (const age of [9e9, -9e9]) {
    let memory = grown(undefined, summary(10, { age }), 1_000);
    expect(isLive(memory, 1_000)).toBe(age < 0);
    expect(isLive(memory, 122_000)).toBe(false);
    memory = grown(memory, summary(11, { age }), 5_000);
    expect(isLive(grown(memory, summary(11, { age }), 100_000), 100_000)).toBe(true);
    expect(isLive(memory, 126_000)).toBe(false);
  }
});

test("a run whose writer was closed is not live, and one that goes back stays known for it", () => {
  expect(isLive(grown(undefined, summary(10, { ended: true }), 0), 0)).toBe(false);
  const back = grown(grown(undefined, summary(10), 0), summary(5), 1);
  expect(grown(back, summary(20), 2).wentBack).toBe(true);
});
