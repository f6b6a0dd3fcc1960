import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/state/announcer";

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

test("what happens by itself is said at most once a second, and nothing of it is dropped", () => {
  const announcer = new Announcer(() => "verbose");
  announcer.tell("landmark", "one");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(300);
  announcer.tell("progress", "10 %");
  announcer.tell("landmark", "step 1: explosion in conv2");
  announcer.tell("landmark", "step 6: collapse in conv1");
  announcer.tell("progress", "20 %");
  announcer.settle(() => "step 5");
  expect(announcer.text.value).toBe("one");
  vi.advanceTimersByTime(200);
  expect(announcer.text.value).toBe("step 5"); // an answer, after which they wait again
  vi.advanceTimersByTime(1_000);
  const both = "step 1: explosion in conv2; step 6: collapse in conv1; 20 %";
  expect(announcer.text.value).toBe(both);
  expect(announcer.log.value).toHaveLength(3);
});

test("of very much at once, as much is said a second as can be listened to", () => {
  const announcer = new Announcer(() => "events");
  const texts = Array.from({ length: 50 }, (_, number) => `run${number}, step 5: NaN in layer.fc1`);
  const said: string[] = [];
  announcer.text.subscribe((text) => said.push(text));
  for (const text of texts) announcer.tell("problem", text);
  vi.advanceTimersByTime(9_000);
  expect(said.length).toBeLessThan(12);
  expect(said.every((text) => text.length < 300)).toBe(true);
  expect(said.slice(1).flatMap((text) => text.split("; "))).toEqual(texts);
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
