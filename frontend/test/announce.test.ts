import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/announce";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("while an arrow key is held, only where it ends is said", () => {
  const announcer = new Announcer();
  for (let step = 0; step < 20; step++) {
    announcer.settle(() => `step ${step}`);
    vi.advanceTimersByTime(33);
    expect(announcer.text.value).toBe("");
  }
  vi.advanceTimersByTime(150);
  expect(announcer.text.value).toBe("step 19");
});

test("while something plays, at most one message a second is said, and the latest wins", () => {
  const announcer = new Announcer();
  announcer.mention("one");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(300);
  announcer.mention("two");
  announcer.mention("three");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(700);
  expect(announcer.text.value).toBe("three");
});

test("the same words are said again when they are asked for again", () => {
  const announcer = new Announcer();
  announcer.say("step 5");
  const first = announcer.text.value;
  announcer.say("step 5");
  expect(announcer.text.value).not.toBe(first);
  expect(announcer.text.value.trim()).toBe(first);
});
