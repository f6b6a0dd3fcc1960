/** Starts the clips of a passage as they become due. */

import type { SampleFrame } from "../units";
import type { Clips } from "./clips";
import type { Ensemble } from "./ensemble";
import { frameAfter, plan } from "./plan";
import { clipsOf, leadOf } from "./score";
import type { Passage } from "./transport";

/** The clock of an audio context, in its sample frames. */
export type ContextClock = {
  now(): SampleFrame;
  /** The first frame at which a start is sure to be in time. */
  soon(): SampleFrame;
};

/**
 * Start what is due before frame `until` of the context, as far as the clips are here.
 *
 * Where a clip comes too late to join on, the sound has waited for it: the passage gets a new
 * anchor, so that the playhead has waited too.
 */
export function startDue(
  passage: Passage,
  ensemble: Ensemble,
  clips: Clips,
  clock: ContextClock,
  until: SampleFrame,
): Passage {
  const { hop } = passage.timeline;
  const { spans } = leadOf(ensemble.score);
  const [cue, ...others] = plan(spans, hop, passage, passage.started, until);
  if (cue === undefined) return passage;
  if (cue.at < clock.now() && clipsOf(ensemble.score, cue.span).every((each) => clips.has(each))) {
    return startDue(postponed(passage, clock.soon()), ensemble, clips, clock, until);
  }
  let { started } = passage;
  for (const each of [cue, ...others]) {
    if (!ensemble.start(each, started === 0, clips)) break;
    started = each.next;
  }
  return started === passage.started ? passage : { ...passage, started };
}

/** What is left of a passage, from frame `at` of the context on. */
function postponed(passage: Passage, at: SampleFrame): Passage {
  const { course, started } = passage;
  const frame = frameAfter(passage, passage.timeline.hop, started);
  const length = course.length === null ? null : course.length - started;
  return { ...passage, anchor: { at, frame }, course: { ...course, length }, started: 0 };
}
