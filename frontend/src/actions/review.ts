/** Reading a run without playing it: from landmark to landmark, to a place by name, beside the other run. */

import { crossingsOf, nextBeyond, valueAt } from "../model/curve";
import { eventWords, kindWords, neighbour } from "../model/landmarks";
import { clamp, noteAtStep } from "../model/notes";
import { formatStep, formatValue } from "../model/words";
import { across, laidCurves } from "../state/axis";
import { hearing, reviewField } from "../state/choices";
import { sources } from "../state/hearing";
import {
  announcer,
  isPlaying,
  landmarks,
  placedIn,
  playheadStep,
  runWords,
  type SideLandmark,
} from "../state/playing";
import { manyRuns, sides } from "../state/runs";
import { otherSide, type Step } from "../units";
import { focusTimeline, moveTo, setLoop } from "./moving";
import { hear, playFrom } from "./transport";

const LEAD_NOTES = 2; // before a landmark, so that it is heard coming
const AROUND_NOTES = 5;

export const landmarksHere = (): readonly SideLandmark[] =>
  landmarks.value.filter(({ side }) => side === hearing.value);

/** Play a landmark, from two notes before it. */
export function playLandmark(landmark: SideLandmark): void {
  hear(landmark.side);
  const source = sources[landmark.side].value;
  if (source === null) return;
  const starts = source.timeline.steps;
  const first = Math.max(0, noteAtStep(source.timeline, landmark.step) - LEAD_NOTES);
  playFrom(starts[first] ?? landmark.step);
  announcer.say(eventWords(landmark));
}

/**
 * Go to the next landmark of the run that is heard, or the one before, and around its ends; playing,
 * it is played. A run that the playhead was not put into is read from its beginning.
 */
export function goToLandmark(direction: 1 | -1): void {
  const side = hearing.value;
  const all = landmarksHere();
  const outside = direction === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const entered = placedIn.value === null || placedIn.value === sides.value[side];
  const next = neighbour(all, entered ? playheadStep.value : outside, direction);
  const found = next ?? neighbour(all, outside, direction);
  if (found === undefined) {
    announcer.say(`No landmarks in ${runWords(side)}`);
    return;
  }
  const around = next === undefined ? `From the ${direction === 1 ? "start" : "end"}: ` : "";
  const run = manyRuns.value ? `, ${runWords(side)}` : "";
  const place = `${all.indexOf(found) + 1} of ${all.length}`;
  if (isPlaying()) playLandmark(found);
  else moveTo(found.step);
  announcer.say(`${around}${eventWords(found)}, ${place}${run}`);
}

/** Play a few notes around the landmark that is nearest to the playhead again and again. */
export function loopLandmark(): void {
  const source = sources[hearing.value].value;
  const distance = ({ step }: SideLandmark) => Math.abs(step - playheadStep.value);
  const [nearest] = [...landmarksHere()].sort((one, other) => distance(one) - distance(other));
  if (source === null || nearest === undefined) {
    announcer.say(`No landmarks in ${runWords(hearing.value)}`);
    return;
  }
  const { steps, notes } = source.timeline;
  const at = noteAtStep(source.timeline, nearest.step);
  const stepOf = (note: number) => steps[clamp(note, 0, notes)] ?? nearest.step;
  const [from, to] = [stepOf(at - AROUND_NOTES), stepOf(at + AROUND_NOTES + 1)];
  moveTo(from);
  setLoop([from, to], `around ${kindWords(nearest.kind)} at step ${formatStep(nearest.step)}, `);
}

/** Go to where the curves of A and B cross next, or crossed before. */
export function goToCrossing(direction: 1 | -1): void {
  const side = hearing.value;
  const [own, other] = [laidCurves[side].value, laidCurves[otherSide(side)].value];
  if (own === null || other === null) {
    announcer.say("Two curves are needed, of A and B");
    return;
  }
  const otherAt = (step: Step) => valueAt(other, across(step, side, otherSide(side)))?.max ?? null;
  const all = crossingsOf(own, otherAt);
  const found = neighbour(all, playheadStep.value, direction);
  if (found === undefined) {
    const where = direction === 1 ? "after" : "before";
    announcer.say(all.length === 0 ? "A and B never cross" : `No crossing ${where} this`);
    return;
  }
  moveTo(found.step);
  const lower = found.above ? otherSide(side) : side;
  const place = `${all.indexOf(found) + 1} of ${all.length}`;
  announcer.say(
    `step ${formatStep(found.step)}: ${lower.toUpperCase()} is lower from here, ${place}`,
  );
}

/** Go to the next value of the curve that is higher, or lower, than this one. */
export function goBeyond(which: "higher" | "lower"): void {
  const curve = laidCurves[hearing.value].value;
  const found = curve === null ? null : nextBeyond(curve, playheadStep.value, which);
  if (found === null) {
    announcer.say(`Nothing ${which} after this`);
    return;
  }
  moveTo(found.step);
  announcer.say(`${which}: ${formatValue(found.value)} at step ${formatStep(found.step)}`);
}

/** Open a field for reading below the curve, or close it again. */
export function toggleReview(which: "text" | "braille"): void {
  reviewField.value = reviewField.value === which ? null : which;
  if (reviewField.value === null) focusTimeline();
}
