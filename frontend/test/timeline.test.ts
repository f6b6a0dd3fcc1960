import { expect, test } from "vitest";
import {
  frameAtStep,
  noteAtFrame,
  noteAtStep,
  noteStart,
  spanAt,
  spansOf,
  stepAtFrame,
  type Timeline,
} from "../src/model/notes";
import { preset } from "./examples";

const HOP = 1440;
// Every tenth step is a row; from note 3 on, a note covers two rows; the last covers one.
const timeline: Timeline = {
  steps: Float64Array.of(100, 110, 120, 130, 150, 170, 170),
  notes: 6,
  hop: HOP,
};

test("the first frame of a note is heard at its first step", () => {
  for (let note = 0; note < timeline.notes; note++) {
    expect(stepAtFrame(timeline, note * HOP)).toBe(timeline.steps[note]);
  }
});

test("the playhead moves on a straight line from note to note", () => {
  expect(stepAtFrame(timeline, 3.5 * HOP)).toBe(140);
  expect(stepAtFrame(timeline, 0.25 * HOP)).toBe(102.5);
});

test("steps and frames are inverse to each other, to within a frame", () => {
  for (let frame = 0; frame < 5 * HOP; frame += 97) {
    expect(frameAtStep(timeline, stepAtFrame(timeline, frame))).toBeCloseTo(frame, -0.1);
  }
});

test("the position never goes back and stays within the run", () => {
  let last = Number.NEGATIVE_INFINITY;
  for (let frame = -HOP; frame < 8 * HOP; frame += 113) {
    const step = stepAtFrame(timeline, frame);
    expect(step).toBeGreaterThanOrEqual(last);
    expect(step).toBeGreaterThanOrEqual(100);
    expect(step).toBeLessThanOrEqual(170);
    last = step;
  }
});

test("a click plays the note that covers the step, from its beginning", () => {
  expect(noteStart(timeline, 119.4)).toBe(HOP);
  expect(noteStart(timeline, 119.6)).toBe(2 * HOP);
  expect(noteStart(timeline, 149)).toBe(3 * HOP);
  expect(noteStart(timeline, -5)).toBe(0);
  expect(noteStart(timeline, 9999)).toBe(5 * HOP);
});

test("a last note of a single row is found at its step", () => {
  expect(noteAtStep(timeline, 170)).toBe(5);
  expect(noteAtFrame(timeline, 6 * HOP)).toBe(5);
});

test("a run without notes has no position but 0", () => {
  const empty: Timeline = { steps: new Float64Array(0), notes: 0, hop: HOP };
  expect(stepAtFrame(empty, 500)).toBe(0);
  expect(frameAtStep(empty, 500)).toBe(0);
});

const segment = (firstNote: number, notes: number, open = false) => ({
  firstNote,
  notes,
  digest: "d",
  open,
});

test("a clip is a segment, where a segment is short", () => {
  const spans = spansOf([segment(0, 100), segment(100, 37, true)], preset({ hop: HOP }));
  expect(spans).toEqual([
    { firstNote: 0, notes: 100, digest: "d", open: false },
    { firstNote: 100, notes: 37, digest: "d", open: true },
  ]);
});

test("a segment that would last for minutes is cut into even clips without holes", () => {
  const spans = spansOf([segment(0, 100), segment(100, 95, true)], preset({ hop: 48_000 }));
  expect(Math.max(...spans.map(({ notes }) => notes))).toBeLessThanOrEqual(6);
  expect(Math.min(...spans.map(({ notes }) => notes))).toBeGreaterThanOrEqual(5);
  let next = 0;
  for (const { firstNote, notes } of spans) {
    expect(firstNote).toBe(next);
    next += notes;
  }
  expect(next).toBe(195);
  expect(spans.filter(({ open }) => open)).toEqual([spans.at(-1)]);
});

test("each note is in one span, and none is beyond the end", () => {
  const spans = spansOf([segment(0, 100), segment(100, 37)], preset({ hop: HOP }));
  expect(spanAt(spans, 0)).toBe(spans[0]);
  expect(spanAt(spans, 99)).toBe(spans[0]);
  expect(spanAt(spans, 100)).toBe(spans[1]);
  expect(spanAt(spans, 137)).toBeUndefined();
  expect(spanAt([], 0)).toBeUndefined();
});
