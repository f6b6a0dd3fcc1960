import { expect, test } from "vitest";
import { raisedCosine } from "../src/audio/output";
import { type Course, frameAfter, loopIn, plan } from "../src/audio/schedule";
import { spansOf } from "../src/model/notes";
import { preset } from "./examples";

const HOP = 1440;
const SPANS = spansOf(
  [0, 100, 200].map((firstNote) => ({ firstNote, notes: 100, digest: "d", open: false })),
  preset({ hop: HOP }),
);
const CLIP = 100 * HOP;
const ONWARD: Course = { direction: 1, loop: null, length: null };
const way = (at: number, frame: number, course: Partial<Course> = {}) => ({
  anchor: { at, frame },
  course: { ...ONWARD, ...course },
});

test("clips start on whole sample frames, each where the notes before it end", () => {
  const cues = plan(SPANS, HOP, way(12_345, 0), 0, 10 * CLIP);
  expect(cues.map(({ at }) => at)).toEqual([12_345, 12_345 + CLIP, 12_345 + 2 * CLIP]);
  expect(cues.every(({ at, offset }) => Number.isInteger(at) && Number.isInteger(offset))).toBe(
    true,
  );
});

test("a start in the middle of a clip leaves out what is before it, and joins the next on the grid", () => {
  const frame = 37 * HOP;
  const [first, second] = plan(SPANS, HOP, way(5000, frame), 0, 10 * CLIP);
  expect(first).toMatchObject({ at: 5000, offset: frame, cut: null, next: CLIP - frame });
  expect(second).toMatchObject({ at: 5000 + CLIP - frame, offset: 0 });
});

test("only what is due before the horizon is started", () => {
  const start = way(1000, 0);
  expect(plan(SPANS, HOP, start, 0, 1001)).toHaveLength(1);
  expect(plan(SPANS, HOP, start, CLIP, 1000 + CLIP)).toHaveLength(0);
  expect(plan(SPANS, HOP, start, CLIP, 1001 + CLIP)).toHaveLength(1);
});

test("in pieces or at once, the plan is the same", () => {
  const start = way(777, 5 * HOP);
  const atOnce = plan(SPANS, HOP, start, 0, Number.POSITIVE_INFINITY);
  const inPieces = [];
  let from = 0;
  for (let until = 777; until < 4 * CLIP; until += 9_600) {
    for (const cue of plan(SPANS, HOP, start, from, until)) {
      inPieces.push(cue);
      from = cue.next;
    }
  }
  expect(inPieces).toEqual(atOnce);
});

test("a clip that has grown goes on where the shorter one ended", () => {
  const grown = [{ firstNote: 0, notes: 60, digest: "d", open: true }];
  const [cue] = plan(grown, HOP, way(0, 0), 40 * HOP, Number.POSITIVE_INFINITY);
  expect(cue).toMatchObject({ at: 40 * HOP, offset: 40 * HOP, next: 60 * HOP });
});

test("nothing is planned beyond the end of the run", () => {
  expect(plan(SPANS, HOP, way(0, 3 * CLIP), 0, 9 * CLIP)).toEqual([]);
});

test("a loop goes back on the frame on which it ends, as often as is asked for", () => {
  const loop = { from: 90 * HOP, to: 130 * HOP };
  const cues = plan(SPANS, HOP, way(0, 85 * HOP, { loop }), 0, 125 * HOP);
  expect(cues.map(({ at }) => at / HOP)).toEqual([0, 15, 45, 55, 85, 95]);
  expect(cues.map(({ offset, span }) => span.firstNote + offset / HOP)).toEqual([
    85, 100, 90, 100, 90, 100,
  ]);
  expect(cues.map(({ cut }) => cut && cut / HOP)).toEqual([null, 30, null, 30, null, 30]);
  expect(frameAfter(way(0, 85 * HOP, { loop }), HOP, 45 * HOP)).toBe(90 * HOP);
  expect(frameAfter(way(0, 85 * HOP, { loop }), HOP, 45 * HOP - 1)).toBe(130 * HOP - 1);
});

test("what begins behind a loop does not enter it", () => {
  const loop = { from: 0, to: 10 * HOP };
  expect(frameAfter(way(0, 20 * HOP, { loop }), HOP, 5)).toBe(20 * HOP + 5);
});

test("a length ends in the middle of a clip", () => {
  const cues = plan(SPANS, HOP, way(0, 95 * HOP, { length: 20 * HOP }), 0, CLIP);
  expect(cues.map(({ cut, next }) => [cut, next])).toEqual([
    [null, 5 * HOP],
    [15 * HOP, 20 * HOP],
  ]);
});

test("backwards, each note is played forwards, and there is nothing before the first", () => {
  const cues = plan(SPANS, HOP, way(0, 2 * HOP, { direction: -1 }), 0, CLIP);
  expect(cues.map(({ offset, at }) => [offset / HOP, at / HOP])).toEqual([
    [2, 0],
    [1, 1],
    [0, 2],
  ]);
});

test("a loop is of whole notes, and none is beyond the end", () => {
  const timeline = { steps: Float64Array.of(0, 10, 20, 30, 35), notes: 4, hop: HOP };
  expect(loopIn(timeline, [12, 24])).toEqual({ from: HOP, to: 2 * HOP });
  expect(loopIn(timeline, [12, 13])).toEqual({ from: HOP, to: 2 * HOP });
  expect(loopIn(timeline, [20, 35])).toEqual({ from: 2 * HOP, to: 4 * HOP });
  expect(loopIn(timeline, [36, 40])).toBeNull();
});

/** Clips as the server makes them, played as planned. */
function played(start: number, frames: number, course: Partial<Course> = {}): Float64Array {
  const tail = 96;
  const signal = (frame: number) => Math.sin(frame / 9);
  const fade = (x: number) => Math.sin((x * Math.PI) / 2) ** 2;
  const out = new Float64Array(frames);
  plan(SPANS, HOP, way(0, start, course), 0, frames).forEach((cue, number) => {
    const { span, at, offset, cut } = cue;
    const length = span.notes * HOP + tail;
    const end = cut === null ? length : offset + cut + tail;
    for (let i = offset; i < end && at + i - offset < frames; i++) {
      const joined = number > 0 && offset > 0 && i < offset + tail ? fade((i - offset) / tail) : 1;
      const rise = (i < tail ? fade(i / tail) : 1) * joined;
      const fall = i >= end - tail ? 1 - fade((i - (end - tail)) / tail) : 1;
      const index = at + i - offset;
      out[index] = (out[index] ?? 0) + rise * fall * signal(span.firstNote * HOP + i);
    }
  });
  return out;
}

test("in a loop, all frames but those of the crossfade are those of the run", () => {
  const loop = { from: 95 * HOP, to: 107 * HOP };
  const sound = played(loop.from, 120 * HOP, { loop });
  const wrong = sound.findIndex((value, frame) => {
    const along = frame % (12 * HOP);
    return along >= 96 && Math.abs(value - Math.sin((loop.from + along) / 9)) > 1e-9;
  });
  expect(wrong).toBe(-1);
});

test("overlapping clips sound as one: no sample at a joint is off", () => {
  const start = 90 * HOP;
  const sound = played(start, 120 * HOP);
  for (let frame = 0; frame < sound.length; frame++) {
    expect(Math.abs((sound[frame] ?? 0) - Math.sin((start + frame) / 9))).toBeLessThan(1e-9);
  }
});

test("the frame that leaves the context follows from the anchor", () => {
  expect(frameAfter(way(100, 5000), HOP, 250)).toBe(5250);
});

test("fades go from silence to full without a step", () => {
  const { curve } = raisedCosine(0.004);
  expect(curve[0]).toBe(0);
  expect(curve.at(-1)).toBeCloseTo(1, 6);
  expect([...curve].every((gain, point) => point === 0 || gain > (curve[point - 1] ?? 0))).toBe(
    true,
  );
});
