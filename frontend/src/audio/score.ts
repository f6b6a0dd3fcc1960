/** What is played: one or more tracks on one grid of notes, so that they cannot drift apart. */

import { type Span, spanAt } from "../model/spans";
import type { Side } from "../units";
import type { Source, Wanted } from "./clips";
import type { Way } from "./plan";
import type { Passage } from "./transport";

export type Track = {
  /** Tells it from the others, and is the same from one score to the next. */
  readonly name: string;
  readonly side: Side;
  readonly source: Source;
};

export type Score = {
  /** The run whose steps the playhead follows: that of the first track. */
  readonly side: Side;
  readonly tracks: readonly [Track, ...Track[]];
  /** Whether the runs are heard by turns, instead of at once. */
  readonly blink: boolean;
};

export const leadOf = (score: Score): Source => score.tracks[0].source;

/** The passage of a score along a way, of which nothing is started yet. */
export const passageOf = (score: Score, way: Way): Passage => ({
  ...way,
  side: score.side,
  timeline: leadOf(score).timeline,
  started: 0,
});

/** The clips that sound in a span of the lead. */
export function clipsOf(score: Score, span: Span): Wanted[] {
  return score.tracks.map(({ source }) => ({
    source,
    span: spanAt(source.spans, span.firstNote) ?? span,
  }));
}

/** Whether the newer score has the same sound at the same frames, and maybe more of it. */
export function goesOn(old: Score, newer: Score): boolean {
  return (
    old.blink === newer.blink &&
    old.side === newer.side &&
    old.tracks.length === newer.tracks.length &&
    old.tracks.every((track, number) => {
      const other = newer.tracks[number];
      return other !== undefined && track.name === other.name && same(track.source, other.source);
    })
  );
}

const same = (old: Source, newer: Source): boolean =>
  old.sound === newer.sound &&
  old.startTime === newer.startTime &&
  old.preset.hop === newer.preset.hop;
