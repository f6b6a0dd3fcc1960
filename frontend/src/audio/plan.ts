/**
 * Which clip starts when: a pure function of the clock, so that the joints can be tested without
 * a loudspeaker. Everything is in whole sample frames, because a clip that starts between two of
 * them is resampled, and its joint clicks.
 */

import type { Span } from "../model/spans";
import type { SampleFrame } from "../units";

/** Sound at frame `frame` of the run leaves the context at its frame `at`, and so on from there. */
export type Anchor = { readonly at: SampleFrame; readonly frame: SampleFrame };

export type Cue = {
  readonly span: Span;
  /** Frame of the audio context at which the clip starts. */
  readonly at: SampleFrame;
  /** Frames of the clip that are left out at its beginning. */
  readonly offset: SampleFrame;
  /** Frame of the run at which the next clip is due. */
  readonly next: SampleFrame;
};

/**
 * The clips to start, in order.
 *
 * Clips overlap by their tail: each runs out under the next, whose first frames fade in, so a
 * clip is cued by its notes alone and always played to its end.
 *
 * @param from frame of the run up to which clips are started already
 * @param until frame of the context up to which starts are wanted
 */
export function plan(
  spans: readonly Span[],
  hop: SampleFrame,
  anchor: Anchor,
  from: SampleFrame,
  until: SampleFrame,
): Cue[] {
  const cues: Cue[] = [];
  let due = from;
  for (const span of spans) {
    const start = span.firstNote * hop;
    const next = start + span.notes * hop;
    const at = anchor.at + (due - anchor.frame);
    if (next <= due) continue;
    if (start > due || at >= until) break;
    cues.push({ span, at, offset: due - start, next });
    due = next;
  }
  return cues;
}

/** The frame of the run that leaves the context at its frame `at`. */
export const frameAt = (anchor: Anchor, at: SampleFrame): SampleFrame =>
  anchor.frame + (at - anchor.at);
