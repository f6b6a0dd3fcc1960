/** What is played: tracks on one grid of notes, whose turn it is, and which clips that needs next. */

import {
  frameAtStep,
  noteAtFrame,
  type Span,
  spanAt,
  stepAtFrame,
  type Timeline,
} from "../model/notes";
import type { Range, SampleFrame, Seconds, Side, Step } from "../units";
import type { Clips, Source, Wanted } from "./clips";
import { equalPower, type Fade, raisedCosine } from "./output";
import { frameIn, loopIn, type Passage, plan, type Way } from "./schedule";

/** What the player asks of those who know what is to be played. */
export type PlayerSources = {
  /** What is to be heard; null where there is nothing. */
  readonly score: () => Score | null;
  /** What may be switched to. */
  readonly other: () => Score | null;
  /** Steps of the lead that are to be played again and again. */
  readonly loop: () => Range | null;
  /** The step of one run that is compared with a step of the other. */
  readonly across: (step: Step, from: Side, to: Side) => Step;
};

export type PlayerEvents = {
  /** The run has been heard to its end, or back to its start. */
  readonly ended: (side: Side) => void;
  /** Playing had to stop: no sound without a gesture, the device is gone, a clip cannot be had. */
  readonly stopped: (why: "locked" | "interrupted" | Error) => void;
  /** A passage has reached the ear, at that time of `performance.now()`. */
  readonly sounding: (passage: Passage, sampleRate: number, at: Seconds) => void;
};

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

const SAME = raisedCosine(0.02);
const OTHER = equalPower(0.02);

/** How what is heard gives way to something else: both of one run sound alike, two runs do not. */
export const crossfade = (from: Passage, to: Score): Fade => (from.side === to.side ? SAME : OTHER);

const elapsedAt = (passage: Passage, at: SampleFrame) => Math.max(at - passage.anchor.at, 0);

/** The step that a passage has got to at frame `at` of the context. */
export const stepAfter = (passage: Passage, at: SampleFrame): Step =>
  stepAtFrame(passage.timeline, frameIn(passage, elapsedAt(passage, at)));

/**
 * The way on another timeline, from the same place on.
 *
 * @param to where the passage is left, and the step of the other timeline that belongs there
 * @param loop steps that are to be played again and again
 * @param entering whether that loop is a new one, which is entered wherever the playhead is
 */
export function turned(
  passage: Passage,
  timeline: Timeline,
  to: { readonly at: SampleFrame; readonly step: Step },
  loop: Range | null,
  entering: boolean,
): Way {
  const elapsed = elapsedAt(passage, to.at);
  const sameGrid =
    timeline.steps === passage.timeline.steps && timeline.hop === passage.timeline.hop;
  // A step is not as fine as a frame.
  const frame = sameGrid ? frameIn(passage, elapsed) : frameAtStep(timeline, to.step);
  const { direction, length } = passage.course;
  const rounds = loopIn(timeline, loop);
  const outside = rounds !== null && (frame < rounds.from || frame >= rounds.to);
  return {
    anchor: { at: to.at, frame: entering && outside ? rounds.from : frame },
    course: { direction, loop: rounds, length: length === null ? null : length - elapsed },
  };
}

const AHEAD_SECONDS: Seconds = 3; // of clips that are loaded before they are due
const READY_SECONDS: Seconds = 0.3; // of what is next must be here before it is turned to

/** Whether enough of a passage is here for it to begin. */
export const isReady = (score: Score, passage: Passage, clips: Clips): boolean =>
  wantedNext(score, passage, READY_SECONDS).every((wanted) => clips.has(wanted));

/** What follows in a passage: the clips that are due, or are next. */
export function wantedNext(
  score: Score,
  passage: Passage,
  seconds: Seconds = AHEAD_SECONDS,
): Wanted[] {
  const { spans, preset } = leadOf(score);
  const until = passage.anchor.at + passage.started + Math.round(seconds * preset.sampleRate);
  const cues = plan(spans, passage.timeline.hop, passage, passage.started, until);
  return cues.flatMap(({ span }) => clipsOf(score, span));
}

/** What sounds at a frame of the lead. */
export function wantedAt(score: Score, frame: SampleFrame): Wanted[] {
  const { spans, timeline } = leadOf(score);
  const span = timeline.notes === 0 ? undefined : spanAt(spans, noteAtFrame(timeline, frame));
  return span === undefined ? [] : clipsOf(score, span);
}

export const wantedAtStep = (score: Score, step: Step): Wanted[] =>
  wantedAt(score, frameAtStep(leadOf(score).timeline, step));

/** What sounds at a step, and what would sound there if the other run were heard. */
export function wantedBy(sources: PlayerSources, step: Step): Wanted[] {
  const [score, other] = [sources.score(), sources.other()];
  if (score === null) return [];
  const here = wantedAtStep(score, step);
  if (other === null) return here;
  return [...here, ...wantedAtStep(other, sources.across(step, score.side, other.side))];
}
