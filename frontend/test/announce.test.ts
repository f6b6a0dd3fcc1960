import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/state/announce";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("while an arrow key is held, only where it ends is said", () => {
  const announcer = new Announcer(() => "events");
  for (let step = 0; step < 20; step++) {
    announcer.settle(() => `step ${step}`);
    vi.advanceTimersByTime(33);
    expect(announcer.text.value).toBe("");
  }
  vi.advanceTimersByTime(150);
  expect(announcer.text.value).toBe("step 19");
});

test("what happens by itself is said at most once a second, and the latest wins", () => {
  const announcer = new Announcer(() => "events");
  announcer.tell("landmark", "one");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(300);
  announcer.tell("landmark", "two");
  announcer.tell("end", "three");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(700);
  expect(announcer.text.value).toBe("three");
  expect(announcer.log.value.map(({ text }) => text)).toEqual(["one", "two", "three"]);
});

test("what a person did is answered at once, and what happens by itself waits for it", () => {
  const announcer = new Announcer(() => "events");
  announcer.tell("landmark", "spike");
  announcer.say("faster");
  expect(announcer.text.value).toBe("faster");
  announcer.tell("landmark", "NaN");
  vi.advanceTimersByTime(999);
  expect(announcer.text.value).toBe("faster");
  vi.advanceTimersByTime(1);
  expect(announcer.text.value).toBe("NaN");
});

test("what is not said is in the log all the same", () => {
  const announcer = new Announcer(() => "off");
  announcer.tell("landmark", "spike");
  announcer.tell("progress", "10 %");
  expect(announcer.text.value).toBe("");
  expect(announcer.log.value.map(({ text }) => text)).toEqual(["spike"]);
  announcer.tell("trouble", "the run is gone");
  expect(announcer.text.value).toBe("the run is gone");
});

test("the same words are said again when they are asked for again", () => {
  const announcer = new Announcer(() => "events");
  announcer.say("step 5");
  const first = announcer.text.value;
  announcer.say("step 5");
  expect(announcer.text.value).not.toBe(first);
  expect(announcer.text.value.trim()).toBe(first);
});
