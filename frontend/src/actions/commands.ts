/** What a person can do. Each is called from inside a gesture, because some of them start sound. */

import type { Command } from "../model/keys";
import { describePlace, eventWords, neighbour, VERBOSITY_TITLES } from "../model/landmarks";
import { noteAtStep } from "../model/notes";
import { steps } from "../state/axis";
import { chooseVerbosity, dialog, hearing, nextVerbosity } from "../state/choices";
import { sources } from "../state/hearing";
import {
  announcer,
  isPlaying,
  landmarks,
  placeHere,
  playheadStep,
  type SideLandmark,
} from "../state/playing";
import { otherSide } from "../units";
import { toggleAlarm, toggleAlarmMute } from "./alarm";
import {
  clearLoop,
  extendLoop,
  goToWorst,
  moveByNotes,
  moveByTenths,
  moveTo,
  moveToExtreme,
  moveToRun,
  toggleLoop,
} from "./moving";
import { cycleQuantity } from "./sound";
import {
  faster,
  follow,
  hear,
  hearBoth,
  muteHere,
  normalSpeed,
  playBack,
  playFrom,
  playOnce,
  playOrPause,
  playToEnd,
  slower,
  soloHere,
  stop,
  toggleCurve,
  toggleMonitor,
} from "./transport";
import { fit, zoomBy } from "./zoom";

const LEAD_NOTES = 2; // before a landmark, so that it is heard coming
const ZOOM = 2;

/** Play a landmark, from two notes before it. */
export function playLandmark(event: SideLandmark): void {
  hear(event.side);
  const source = sources[event.side].value;
  if (source === null) return;
  const starts = source.timeline.steps;
  playFrom(starts[Math.max(0, noteAtStep(source.timeline, event.step) - LEAD_NOTES)] ?? event.step);
  announcer.say(eventWords(event));
}

/** Go to the next landmark of the run that is heard, or the one before; playing, it is played. */
function goToEvent(direction: 1 | -1): void {
  const side = hearing.value;
  const own = landmarks.value.filter((event) => event.side === side);
  const event = neighbour(own, playheadStep.value, direction);
  if (event === undefined) {
    announcer.say(direction === 1 ? "No landmark after this" : "No landmark before this");
    return;
  }
  if (isPlaying()) {
    playLandmark(event);
    return;
  }
  moveTo(event.step);
  announcer.say(eventWords(event));
}

function cycleVerbosity(): void {
  const next = nextVerbosity();
  chooseVerbosity(next);
  announcer.say(`Said while playing: ${VERBOSITY_TITLES[next]}`);
}

const open = (name: NonNullable<typeof dialog.value>) => () => {
  dialog.value = name;
};

export const COMMANDS: Readonly<Record<Command, () => void>> = {
  playOrPause,
  playOnce,
  playToEnd,
  playBack,
  stop,
  faster,
  slower,
  normalSpeed,
  toggleLoop,
  loopLess: () => extendLoop(-1),
  loopMore: () => extendLoop(1),
  clearLoop,
  follow,
  monitor: toggleMonitor,
  hearBoth: () => hearBoth("both"),
  blink: () => hearBoth("blink"),
  soloHere,
  muteHere,
  toggleCurve,
  cycleQuantity,
  previousNote: () => moveByNotes(-1),
  nextNote: () => moveByNotes(1),
  backTenth: () => moveByTenths(-1),
  forwardTenth: () => moveByTenths(1),
  toStart: () => moveTo(steps.value[0]),
  toEnd: () => moveTo(steps.value[1]),
  hearA: () => hear("a"),
  hearB: () => hear("b"),
  swap: () => hear(otherSide(hearing.value)),
  nextEvent: () => goToEvent(1),
  previousEvent: () => goToEvent(-1),
  goToWorst,
  zoomIn: () => zoomBy(ZOOM),
  zoomOut: () => zoomBy(1 / ZOOM),
  zoomFit: fit,
  lowest: () => moveToExtreme("lowest", "heard"),
  highest: () => moveToExtreme("highest", "heard"),
  lowestOfAll: () => moveToExtreme("lowest", "all"),
  highestOfAll: () => moveToExtreme("highest", "all"),
  previousRun: () => moveToRun(-1),
  nextRun: () => moveToRun(1),
  sayPosition: () => announcer.say(describePlace(placeHere())),
  describe: open("describe"),
  cycleVerbosity,
  toggleAlarm: () => void toggleAlarm(),
  toggleAlarmMute,
  showHelp: open("help"),
  showOptions: open("options"),
};
