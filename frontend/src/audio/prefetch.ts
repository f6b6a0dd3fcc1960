/** Which clips will be needed soonest. */

import { spanAt } from "../model/spans";
import { noteAtStep } from "../model/timeline";
import { otherSide, type Side, type Step } from "../units";
import type { Source, Wanted } from "./clips";

/** What is heard at a step, what the other run has there and, while playing, what follows. */
export function wantedAt(
  sourceOf: (side: Side) => Source | null,
  side: Side,
  step: Step,
  playing: boolean,
): Wanted[] {
  const here = spansFrom(sourceOf(side), step);
  const there = spansFrom(sourceOf(otherSide(side)), step);
  const following = playing ? [...here.slice(1), ...there.slice(1)] : [];
  return [...here.slice(0, 1), ...there.slice(0, 1), ...following];
}

function spansFrom(source: Source | null, step: Step): Wanted[] {
  if (source === null || source.timeline.notes === 0) return [];
  const span = spanAt(source.spans, noteAtStep(source.timeline, step));
  if (span === undefined) return [];
  const next = spanAt(source.spans, span.firstNote + span.notes);
  return [span, ...(next === undefined ? [] : [next])].map((each) => ({ source, span: each }));
}
