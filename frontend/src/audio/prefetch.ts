/** Which clips will be needed soonest. */

import { spanAt } from "../model/spans";
import { frameAtStep, noteAtFrame } from "../model/timeline";
import type { SampleFrame, Seconds, Step } from "../units";
import type { Clips, Wanted } from "./clips";
import type { PlayerSources } from "./outside";
import { plan } from "./plan";
import { clipsOf, leadOf, type Score } from "./score";
import type { Passage } from "./transport";

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
