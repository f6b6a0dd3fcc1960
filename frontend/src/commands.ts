/** What a person can do. Each is called from inside a gesture, because some of them start sound. */

import { domain, seen } from "./axes";
import { dialog, hearing } from "./choices";
import { type Event, events } from "./landmarks";
import { extendLoop, toggleLoop } from "./looping";
import { describeMove, describePlace } from "./model/describe";
import { eventWords, neighbour } from "./model/events";
import type { Command } from "./model/keys";
import { clamp, lastNotAfter, lastStepOf, noteAtStep, noteStart } from "./model/timeline";
import { announcer, finished, here, isPlaying, placeHere, player, unlocked } from "./playing";
import { score } from "./scores";
import { sources } from "./sources";
import * as store from "./store";
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
} from "./transport";
import { otherSide, type Step } from "./units";
import { fit, zoomBy } from "./zoom";

const LEAD_NOTES = 2; // before a landmark, so that it is heard coming
const ZOOM = 2;

/** Move by notes; where nothing can be heard, by the points of the curve. */
function moveByNotes(offset: number): void {
  const side = hearing.value;
  const stops = sources[side].value?.timeline.steps ?? store.curves[side].value?.steps;
  if (stops === undefined) return;
  const last = Math.max(0, stops.length - (sources[side].value === null ? 1 : 2));
  const at = lastNotAfter(stops, here.value, last + 1);
  moveTo(stops[clamp(at + offset, 0, last)] ?? 0);
}

function moveByTenths(tenths: number): void {
  const [first, last] = domain.value;
  const [from, to] = seen.value;
  moveTo(clamp(here.value + ((to - from) * tenths) / 10, first, last));
}

/** Move the playhead: playing goes on from there; at rest, the note there is heard. */
function moveTo(step: Step): void {
  const side = hearing.value;
  const source = sources[side].value;
  finished.value = false;
  if (isPlaying() && source !== null && step < lastStepOf(source.timeline)) {
    player.play(noteStart(source.timeline, step));
    return;
  }
  const from = placeHere();
  player.rest(step);
  if (source !== null) {
    unlocked.value = true;
    player.prefetch(step);
    player.stage.hearNote(score.peek(), noteAtStep(source.timeline, Math.round(step)));
  }
  announcer.settle(() => describeMove(from, placeHere()));
}

/** Play a landmark, from two notes before it. */
export function playEvent(event: Event): void {
  hear(event.side);
  const source = sources[event.side].value;
  if (source === null) return;
  const { steps } = source.timeline;
  playFrom(steps[Math.max(0, noteAtStep(source.timeline, event.step) - LEAD_NOTES)] ?? event.step);
  announcer.say(eventWords(event));
}

/** Go to the next landmark of the run that is heard, or the one before; playing, it is played. */
function goToEvent(direction: 1 | -1): void {
  const side = hearing.value;
  const own = events.value.filter((event) => event.side === side);
  const event = neighbour(own, here.value, direction);
  if (event === undefined) {
    announcer.say(direction === 1 ? "No landmark after this" : "No landmark before this");
    return;
  }
  if (isPlaying()) {
    playEvent(event);
    return;
  }
  moveTo(event.step);
  announcer.say(eventWords(event));
}

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
  follow,
  hearBoth: () => hearBoth("both"),
  blink: () => hearBoth("blink"),
  soloHere,
  muteHere,
  toggleCurve,
  previousNote: () => moveByNotes(-1),
  nextNote: () => moveByNotes(1),
  backTenth: () => moveByTenths(-1),
  forwardTenth: () => moveByTenths(1),
  toStart: () => moveTo(domain.value[0]),
  toEnd: () => moveTo(domain.value[1]),
  hearA: () => hear("a"),
  hearB: () => hear("b"),
  swap: () => hear(otherSide(hearing.value)),
  nextEvent: () => goToEvent(1),
  previousEvent: () => goToEvent(-1),
  zoomIn: () => zoomBy(ZOOM),
  zoomOut: () => zoomBy(1 / ZOOM),
  zoomFit: fit,
  sayPosition: () => announcer.say(describePlace(placeHere())),
  showHelp: () => {
    dialog.value = "help";
  },
};
