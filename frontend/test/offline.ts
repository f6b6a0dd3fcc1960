/**
 * Plays tapes through the player's own scheduling on an offline audio context, so that tests can
 * count sample frames. tests/test_scheduling.py bundles it and calls `render` in a browser.
 */

import { Clips, type Source } from "../src/audio/clips";
import { equalPower, type Level, raisedCosine, Voice } from "../src/audio/output";
import type { Passage } from "../src/audio/schedule";
import { type Course, frameAfter } from "../src/audio/schedule";
import type { Score, Track } from "../src/audio/score";
import { wantedNext } from "../src/audio/score";
import { Ensemble, startDue } from "../src/audio/voices";
import { spansOf } from "../src/model/notes";
import type { Side } from "../src/units";
import { preset } from "./examples";

type Tape = {
  readonly side: Side;
  /** A sine of that many Hz, or a pulse every so many sample frames. */
  readonly kind: "sine" | "pulse" | "noise";
  readonly value: number;
  readonly level: Level;
};

type Options = {
  readonly tapes: readonly [Tape, ...Tape[]];
  readonly seconds: number;
  readonly notes: number;
  readonly from: number;
  readonly course?: Partial<Course>;
  readonly blink?: boolean;
  /** At which second the second tape is turned to; the first is heard alone until then. */
  readonly swapAt?: number;
};

const PRESET = preset();
const { sampleRate, hop, tail } = PRESET;
const TICK_SECONDS = 0.1;
const HORIZON_SECONDS = 0.4;

/** Left and right, as they leave the context: little-endian float32 in base64, which travels fast. */
export async function render(options: Options): Promise<string[]> {
  const { tapes, seconds, notes, from, course, blink = false, swapAt } = options;
  const length = Math.round(seconds * sampleRate);
  const context = new OfflineAudioContext({ length, numberOfChannels: 2, sampleRate });
  const clock = {
    now: () => Math.round(context.currentTime * sampleRate),
    soon: () => Math.round(context.currentTime * sampleRate) + 120,
  };
  const tracks = tapes.map((tape, number) => trackOf(tape, number, notes));
  const clips = new Clips(
    async ({ source, span }) =>
      wav(tapes[Number(source.sound)] as Tape, span.firstNote, span.notes),
    () => {},
  );
  const ensembleOf = (heard: Track[], levels: Level[], entry: ReturnType<typeof raisedCosine>) => {
    const score = { side: heard[0]?.side ?? "a", tracks: heard, blink } as unknown as Score;
    const voices = levels.map((level) => new Voice(context, context.destination, level));
    return new Ensemble(score, voices, entry);
  };
  const together = swapAt === undefined ? tracks : tracks.slice(0, 1);
  const levels = tapes.map(({ level }) => level);
  let ensemble = ensembleOf(together, levels.slice(0, together.length), raisedCosine(0.004));
  const [lead] = tracks as [Track];
  let passage: Passage = {
    side: lead.side,
    timeline: lead.source.timeline,
    anchor: { at: clock.soon(), frame: from },
    course: { direction: 1, loop: null, length: null, ...course },
    started: 0,
  };

  const tick = async () => {
    await loaded(clips, ensemble.score, passage);
    const until = clock.now() + HORIZON_SECONDS * sampleRate;
    passage = startDue(passage, ensemble, clips, clock, until);
    ensemble.takeTurns(passage.anchor.at, until);
  };
  const swap = async () => {
    const at = clock.soon();
    const frame = frameAfter(passage, hop, at - passage.anchor.at);
    ensemble.release(at, equalPower(0.02));
    ensemble = ensembleOf(tracks.slice(1), levels.slice(1), equalPower(0.02));
    passage = { ...passage, anchor: { at, frame }, started: 0 };
    await tick();
  };
  let swapped = swapAt === undefined;
  for (let at = 0; at < seconds; at += TICK_SECONDS) {
    void context.suspend(at).then(async () => {
      const due = !swapped && at >= (swapAt ?? 0);
      swapped ||= due;
      await (due ? swap() : tick());
      void context.resume();
    });
  }
  const rendered = await context.startRendering();
  return [0, 1].map((channel) => base64(new Uint8Array(rendered.getChannelData(channel).buffer)));
}

function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 30_000) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 30_000))));
  }
  return pieces.join("");
}

async function loaded(clips: Clips, score: Score, passage: Passage): Promise<void> {
  const wanted = wantedNext(score, passage, 3);
  clips.want(wanted);
  while (!wanted.every((each) => clips.has(each))) await new Promise((go) => setTimeout(go, 1));
}

function trackOf({ side }: Tape, number: number, notes: number): Track {
  const steps = Float64Array.from({ length: notes + 1 }, (_, note) => note);
  const segments = Array.from({ length: Math.ceil(notes / 100) }, (_, index) => ({
    firstNote: 100 * index,
    notes: Math.min(100, notes - 100 * index),
    digest: "d",
    open: false,
  }));
  const source: Source = {
    view: "",
    sound: String(number),
    run: String(number),
    startTime: null,
    preset: PRESET,
    timeline: { steps, notes, hop },
    spans: spansOf(segments, PRESET),
  };
  return { name: String(number), side, source };
}

/** A clip as the server makes it: stereo, fading in and out over the tail. */
function wav(tape: Tape, firstNote: number, notes: number): ArrayBuffer {
  const frames = notes * hop + tail;
  const data = new DataView(new ArrayBuffer(44 + 4 * frames));
  const words = [0x46464952, 36 + 4 * frames, 0x45564157, 0x20746d66, 16, 0x20001, sampleRate];
  const more = [4 * sampleRate, 0x100004, 0x61746164, 4 * frames];
  [...words, ...more].forEach((word, index) => {
    data.setUint32(4 * index, word, true);
  });
  for (let frame = 0; frame < frames; frame++) {
    const fade = Math.min(frame / tail, (frames - frame) / tail, 1);
    const gain = Math.sin((fade * Math.PI) / 2) ** 2;
    const sample = Math.round(32_767 * gain * signal(tape, firstNote * hop + frame));
    data.setInt16(44 + 4 * frame, sample, true);
    data.setInt16(46 + 4 * frame, sample, true);
  }
  return data.buffer;
}

/** What is on a tape at a frame of the run. */
export function signal({ kind, value }: Pick<Tape, "kind" | "value">, frame: number): number {
  if (kind === "sine") return 0.4 * Math.sin((2 * Math.PI * value * frame) / sampleRate);
  if (kind === "pulse") return frame % value === value / 2 ? 0.5 : 0;
  return (0.8 * ((((frame * 2_654_435_761) % 65_536) + 65_536) % 65_536)) / 65_536 - 0.4;
}
