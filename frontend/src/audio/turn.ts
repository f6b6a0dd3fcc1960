/** Where a passage goes on when what is heard, or the loop, becomes another one. */

import { frameAtStep, stepAtFrame, type Timeline } from "../model/timeline";
import type { Range, SampleFrame, Step } from "../units";
import { equalPower, type Fade, raisedCosine } from "./fade";
import { loopIn, type Way } from "./plan";
import type { Score } from "./score";
import { frameIn, type Passage } from "./transport";

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
