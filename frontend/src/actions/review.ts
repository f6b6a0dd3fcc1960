/** Reading a run without playing it: from landmark to landmark. */

import { eventWords, neighbour } from "../model/landmarks";
import { noteAtStep } from "../model/notes";
import { hearing } from "../state/choices";
import { sources } from "../state/hearing";
import { announcer, isPlaying, landmarks, playheadStep, type SideLandmark } from "../state/playing";
import { moveTo } from "./moving";
import { hear, playFrom } from "./transport";

const LEAD_NOTES = 2; // before a landmark, so that it is heard coming

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

/** Go to the next landmark of the run that is heard, or the one before; playing, it is played. */
export function goToLandmark(direction: 1 | -1): void {
  const side = hearing.value;
  const own = landmarks.value.filter((landmark) => landmark.side === side);
  const found = neighbour(own, playheadStep.value, direction);
  if (found === undefined) {
    announcer.say(direction === 1 ? "No landmark after this" : "No landmark before this");
  } else if (isPlaying()) {
    playLandmark(found);
  } else {
    moveTo(found.step);
    announcer.say(eventWords(found));
  }
}
