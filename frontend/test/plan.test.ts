import { expect, test } from "vitest";
import { raisedCosine } from "../src/audio/fade";
import { frameAt, plan } from "../src/audio/plan";
import { spansOf } from "../src/model/spans";
import { preset } from "./examples";

const HOP = 1440;
const SPANS = spansOf(
  [0, 100, 200].map((firstNote) => ({ firstNote, notes: 100, digest: "d", open: false })),
  preset({ hop: HOP }),
);
const CLIP = 100 * HOP;

test("clips start on whole sample frames, each where the notes before it end", () => {
  const anchor = { at: 12_345, frame: 0 };
  const cues = plan(SPANS, HOP, anchor, 0, 10 * CLIP);
  expect(cues.map(({ at }) => at)).toEqual([12_345, 12_345 + CLIP, 12_345 + 2 * CLIP]);
  expect(cues.every(({ at, offset }) => Number.isInteger(at) && Number.isInteger(offset))).toBe(
    true,
  );
});

test("a start in the middle of a clip leaves out what is before it, and joins the next on the grid", () => {
  const frame = 37 * HOP;
  const [first, second] = plan(SPANS, HOP, { at: 5000, frame }, frame, 10 * CLIP);
  expect(first).toMatchObject({ at: 5000, offset: frame, next: CLIP });
  expect(second).toMatchObject({ at: 5000 + CLIP - frame, offset: 0 });
});

test("only what is due before the horizon is started", () => {
  const anchor = { at: 1000, frame: 0 };
  expect(plan(SPANS, HOP, anchor, 0, 1001)).toHaveLength(1);
  expect(plan(SPANS, HOP, anchor, CLIP, 1000 + CLIP)).toHaveLength(0);
  expect(plan(SPANS, HOP, anchor, CLIP, 1001 + CLIP)).toHaveLength(1);
});

test("in pieces or at once, the plan is the same", () => {
  const anchor = { at: 777, frame: 5 * HOP };
  const atOnce = plan(SPANS, HOP, anchor, anchor.frame, Number.POSITIVE_INFINITY);
  const inPieces = [];
  let from = anchor.frame;
  for (let until = 777; until < 4 * CLIP; until += 9_600) {
    for (const cue of plan(SPANS, HOP, anchor, from, until)) {
      inPieces.push(cue);
      from = cue.next;
    }
  }
  expect(inPieces).toEqual(atOnce);
});

test("a clip that has grown goes on where the shorter one ended", () => {
  const grown = [{ firstNote: 0, notes: 60, digest: "d", open: true }];
  const [cue] = plan(grown, HOP, { at: 0, frame: 0 }, 40 * HOP, Number.POSITIVE_INFINITY);
  expect(cue).toMatchObject({ at: 40 * HOP, offset: 40 * HOP, next: 60 * HOP });
});

test("nothing is planned beyond the end of the run", () => {
  expect(plan(SPANS, HOP, { at: 0, frame: 3 * CLIP }, 3 * CLIP, 9 * CLIP)).toEqual([]);
});

/** Clips as the server makes them, played as planned. */
function played(start: number, frames: number): Float64Array {
  const tail = 96;
  const signal = (frame: number) => Math.sin(frame / 9);
  const fade = (x: number) => Math.sin((x * Math.PI) / 2) ** 2;
  const out = new Float64Array(frames);
  for (const { span, at, offset } of plan(SPANS, HOP, { at: 0, frame: start }, start, frames)) {
    const length = span.notes * HOP + tail;
    for (let i = offset; i < length && at + i - offset < frames; i++) {
      const rise = i < tail ? fade(i / tail) : 1;
      const fall = i >= length - tail ? 1 - fade((i - (length - tail)) / tail) : 1;
      const index = at + i - offset;
      out[index] = (out[index] ?? 0) + rise * fall * signal(span.firstNote * HOP + i);
    }
  }
  return out;
}

test("overlapping clips sound as one: no sample at a joint is off", () => {
  const start = 90 * HOP;
  const sound = played(start, 120 * HOP);
  for (let frame = 0; frame < sound.length; frame++) {
    expect(Math.abs((sound[frame] ?? 0) - Math.sin((start + frame) / 9))).toBeLessThan(1e-9);
  }
});

test("the frame that leaves the context follows from the anchor", () => {
  expect(frameAt({ at: 100, frame: 5000 }, 350)).toBe(5250);
});

test("fades go from silence to full without a step", () => {
  const { curve } = raisedCosine(0.004);
  expect(curve[0]).toBe(0);
  expect(curve.at(-1)).toBeCloseTo(1, 6);
  expect([...curve].every((gain, point) => point === 0 || gain > (curve[point - 1] ?? 0))).toBe(
    true,
  );
});
