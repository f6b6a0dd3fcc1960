/** The heard lane in numbers: where a pitch lies, what a column says, why a stream is silent. */

import { expect, test } from "vitest";
import {
  columnOf,
  EARCONS,
  earconsAt,
  type Heard,
  heardWords,
  pitchY,
  reachOf,
  silentStretches,
  streamBands,
} from "../src/model/heard";

const NAMES = [
  "none",
  "no gradient",
  "zero",
  "below",
  "above",
  "spike",
  "inf",
  "nan",
  "chime",
  "rises",
  "falls",
];
const ZERO = 1 << NAMES.indexOf("zero");
const STREAMS = [220, 440].map((hzAt1, at) => ({
  name: at === 0 ? "early" : "late",
  layers: at === 0 ? ["conv1", "conv2"] : ["fc"],
  hzAt1,
  hzLow: hzAt1 / 4,
  hzHigh: hzAt1 * 4,
}));

function heard(pitches: number[], changed: Partial<Heard> = {}): Heard {
  const none = new Float32Array(pitches.length);
  const mean = Float32Array.from(pitches);
  return {
    firstNote: 0,
    notes: pitches.length / 2,
    notesPerColumn: 1,
    columns: pitches.length / 2,
    streams: STREAMS,
    slope: 1,
    names: NAMES,
    low: mean,
    mean,
    high: mean,
    roughness: none,
    tremolo: none,
    earcons: new Uint16Array(pitches.length),
    ...changed,
  };
}

const VALUED = { quantity: "gradient", scale: null } as const;

test("norm 1 is in the middle of its band, the last stream at the top, and nothing leaves a band", () => {
  const [early, late] = streamBands(2, 60, 6);
  if (early === undefined || late === undefined) throw new Error("two bands");
  expect([early.middle, late.middle]).toEqual([45, 15]);
  expect(pitchY(early, 220, STREAMS[0])).toBe(45);
  expect(pitchY(late, 440 * 2 ** (3 / 12), STREAMS[1])).toBeCloseTo(15 - 3 * late.perSemitone, 6);
  expect(pitchY(late, 4000, STREAMS[1])).toBe(15 - late.half);
  expect(pitchY(late, 40, STREAMS[1])).toBe(15 + late.half);
});

test("bands reach so far that most of what sounds lies in them", () => {
  expect(reachOf([])).toBe(6);
  expect(reachOf([heard([220, 440, 260, Number.NaN])])).toBe(6);
  expect(reachOf([heard([110, 220, 220, 440])])).toBe(12);
  expect(reachOf([heard([220, 440]), heard([55, 110, 55, 110])])).toBe(27);
});

test("a column says pitch, value, texture and earcons", () => {
  const tremolo = Float32Array.of(0, 0.3);
  const earcons = Uint16Array.of(0, ZERO | (1 << NAMES.indexOf("chime")));
  const one = heard([220 * 2 ** (-1 / 12), 440], { tremolo, earcons });
  expect(heardWords(one, 0, 0, VALUED)).toBe("Early layers: 208 Hz, norm 0.5");
  expect(heardWords(one, 0, 1, VALUED)).toBe(
    "Late, fc: 440 Hz, norm 1, pulsating: it swings; thud: exactly zero; chime: unusual",
  );
  const scale = { kind: "log", low: 0.01, high: 100 } as const;
  expect(heardWords(one, 0, 1, { ...VALUED, scale })).toContain("440 Hz, 1, ");
  expect(heardWords(heard([Number.NaN, 440]), 0, 0, VALUED)).toBe("Early layers: silent");
  expect(earconsAt(one, 0, 1)).toEqual(["zero", "chime"]);
  expect(Object.keys(EARCONS).sort()).toEqual(NAMES.slice(1).sort());
});

test("a stretch of silence says why, and how often that is heard", () => {
  const silent = Number.NaN;
  const pitches = Array.from({ length: 20 }, (_, note) => [note < 2 ? 220 : silent, 440]).flat();
  const earcons = new Uint16Array(40);
  for (const note of [2, 8, 16]) earcons[2 * note] = ZERO;
  const [stretch] = silentStretches(heard(pitches, { earcons }), 0, 0, 20);
  expect(stretch).toEqual({ from: 2, to: 20, words: "dead: a thud every 8 notes" });
  expect(silentStretches(heard(pitches), 0, 0, 20)[0]?.words).toBe("silent");
  expect(silentStretches(heard(pitches), 1, 0, 20)).toEqual([]);
});

test("a note is found in its column", () => {
  const wide = heard([220, 440, 220, 440], { firstNote: 10, notes: 5, notesPerColumn: 3 });
  expect([9, 10, 12, 13, 16].map((note) => columnOf(wide, note))).toEqual([-1, 0, 0, 1, -1]);
});
