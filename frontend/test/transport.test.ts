import { expect, test } from "vitest";
import { Watchdog } from "../src/audio/output";
import { isOver, type Passage, positionAt } from "../src/audio/schedule";
import type { Timeline } from "../src/model/notes";

const HOP = 1000;
const timeline: Timeline = { steps: Float64Array.of(0, 1, 2, 3, 4, 5, 5), notes: 6, hop: HOP };
const passage = (changes: Partial<Passage> = {}): Passage => ({
  side: "a",
  timeline,
  anchor: { at: 10_000, frame: 2 * HOP },
  course: { direction: 1, loop: null, length: null },
  started: 4 * HOP,
  ...changes,
});

test("at rest the position is the step that was chosen", () => {
  expect(positionAt({ state: "paused", step: 3.25 }, 99_999).step).toBe(3.25);
});

test("the playhead waits at the start until the sound reaches the ear", () => {
  const transport = { state: "playing", passage: passage(), before: null } as const;
  expect(positionAt(transport, 9_000).step).toBe(2);
  expect(positionAt(transport, 10_000).step).toBe(2);
  expect(positionAt(transport, 10_500).step).toBe(2.5);
});

test("the playhead does not run ahead of clips that have not come", () => {
  const transport = {
    state: "playing",
    passage: passage({ started: HOP }),
    before: null,
  } as const;
  expect(positionAt(transport, 10_500)).toMatchObject({ step: 2.5, waiting: false });
  expect(positionAt(transport, 14_000)).toMatchObject({ step: 3, waiting: true });
});

test("a switch of runs goes on with the old run until the new one is at the ear", () => {
  const before = passage({ anchor: { at: 0, frame: 0 } });
  const next = passage({ side: "b", anchor: { at: 3_000, frame: 3 * HOP } });
  const transport = { state: "playing", passage: next, before } as const;
  expect(positionAt(transport, 2_500).step).toBe(2.5);
  expect(positionAt(transport, 3_000).step).toBe(3);
  expect(positionAt(transport, 3_500).step).toBe(3.5);
});

test("a clock that stands still while the context says it runs is noticed", () => {
  const watchdog = new Watchdog();
  watchdog.reset(0);
  expect(watchdog.check(50, true, 100)).toBe("fine");
  expect(watchdog.check(100, true, 200)).toBe("fine");
  expect(watchdog.check(1_550, true, 200)).toBe("fine");
  expect(watchdog.check(1_650, true, 200)).toBe("stuck");
});

test("a context that does not start is taken for locked, after some patience", () => {
  const watchdog = new Watchdog();
  watchdog.reset(0);
  expect(watchdog.check(1_500, false, 0)).toBe("fine");
  expect(watchdog.check(2_500, false, 0)).toBe("locked");
});

test("a passage is over at the end of the run, of its length, or back at the start; a loop never", () => {
  const course = { direction: 1, loop: null, length: null } as const;
  expect(isOver(passage(), 4 * HOP - 1)).toBe(false);
  expect(isOver(passage(), 4 * HOP)).toBe(true);
  const once = passage({ course: { ...course, length: HOP }, started: HOP });
  expect(isOver(once, HOP - 1)).toBe(false);
  expect(isOver(once, HOP)).toBe(true);
  const back = passage({ course: { ...course, direction: -1 }, started: 3 * HOP });
  expect(isOver(back, 3 * HOP - 1)).toBe(false);
  expect(isOver(back, 3 * HOP)).toBe(true);
  const loop = { from: 0, to: 6 * HOP };
  expect(isOver(passage({ course: { ...course, loop }, started: 90 * HOP }), 80 * HOP)).toBe(false);
});
