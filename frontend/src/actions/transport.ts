/** The transport: play, pause, stop, faster, follow; and what is heard of A and B. */

import { batch, signal, untracked } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Course } from "../audio/schedule";
import { describePlace } from "../model/landmarks";
import { clamp, lastStepOf, noteStart } from "../model/notes";
import { formatStep, spokenName } from "../model/words";
import { noServer } from "../server/site";
import { across, steps } from "../state/axis";
import {
  curveHeard,
  following,
  hearing,
  listening,
  loop,
  monitoring,
  mutedRuns,
  soloed,
  soloedStreams,
  sound,
} from "../state/choices";
import { coverageError, coverages, curveSilence, sources, speedsOf } from "../state/hearing";
import {
  announcer,
  finished,
  isLoading,
  isPlaying,
  lackWords,
  placedIn,
  placeHere,
  player,
  playheadStep,
  runWords,
  soundProblem,
  unlocked,
  whySilent,
} from "../state/playing";
import * as store from "../state/runs";
import { otherSide, type Seconds, SIDES, type Side, type Step } from "../units";
import { toggleMute, toggleSolo } from "./runs";
import { chooseSpeed } from "./sound";

const ONCE_SECONDS: Seconds = 2;
const PREVIEW_SECONDS: Seconds = 1;
const LIVE_SECONDS: Seconds = 3; // of what is there already, where following begins

/** What was to be played before its notes were loaded; it is played as soon as they are. */
const pending = signal<{
  readonly side: Side;
  readonly run: string | null;
  readonly step: Step;
  readonly course: Partial<Course>;
} | null>(null);

/** Whether something is played as soon as it is loaded. */
export const isPending = (): boolean => pending.value !== null;

export function playOrPause(): void {
  if (isPlaying() || isPending()) pause();
  else play();
}

export function pause(): void {
  if (!isPlaying() && pending.value === null) return;
  pending.value = null;
  following.value = false;
  player.rest();
  announcer.say(`Paused at ${describePlace({ ...placeHere(), run: null })}`);
}

/**
 * Play from the step that the playhead is said to be at, so that a note in which it was paused is
 * heard whole; from the beginning where it rests at the end.
 */
export function play(): void {
  const source = sources[hearing.value].value;
  const atEnd = source !== null && playheadStep.value >= lastStepOf(source.timeline);
  playFrom(atEnd && finished.value ? steps.value[0] : Math.floor(playheadStep.value + 1e-6));
}

/** Play two seconds from here, and come back. */
export function playOnce(): void {
  const source = sources[hearing.value].value;
  playFrom(Math.floor(playheadStep.value + 1e-6), onceFor(source, ONCE_SECONDS));
}

/** Let how it sounds now be heard for a second from here, where nothing plays; nothing is said. */
export function preview(): void {
  const source = sources[hearing.value].value;
  if (!isPlaying() && source !== null)
    start(source, Math.floor(playheadStep.value + 1e-6), onceFor(source, PREVIEW_SECONDS));
}

/** Whole notes, at least one. */
function onceFor(source: Source | null, seconds: Seconds): Partial<Course> {
  const { sampleRate, hop } = source?.preset ?? { sampleRate: 0, hop: 1 };
  const notes = Math.max(1, Math.round((seconds * sampleRate) / hop));
  return { loop: null, length: notes * hop };
}

/** Play from here to the end, past any loop. */
export function playToEnd(): void {
  playFrom(Math.floor(playheadStep.value + 1e-6), { loop: null });
}

/** Play note by note towards the start. */
export function playBack(): void {
  playFrom(Math.floor(playheadStep.value + 1e-6), { loop: null, direction: -1 });
}

/** Fall silent, and go back to where playing began. */
export function stop(): void {
  pending.value = null;
  if (!isPlaying()) return;
  following.value = false;
  player.rest(player.origin);
  announcer.say(`Stopped, back at ${describePlace({ ...placeHere(), run: null })}`);
}

/** Play from the note of a step. */
export function playFrom(step: Step, course: Partial<Course> = {}): void {
  const side = hearing.value;
  const source = sources[side].value;
  finished.value = false;
  following.value = false;
  pending.value = null;
  placedIn.value = store.sides.value[side];
  if (source === null) {
    player.rest(step);
    announcer.say(whySilent(side));
    const run = store.sides.value[side];
    if (isLoading(side)) pending.value = { side, run, step, course };
    return;
  }
  const last = lastStepOf(source.timeline);
  if (Math.round(step) > last) {
    player.rest(step);
    announcer.say(`${runWords(side)} ends at step ${formatStep(last)}`);
    return;
  }
  start(source, step, course);
  announcer.say(
    course.direction === -1 ? "Playing back" : `Playing ${heardWords()}${aloneWords()}`,
  );
}

function start(source: Source, step: Step, course: Partial<Course>): void {
  unlocked.value = true;
  soundProblem.value = null;
  player.play(noteStart(source.timeline, step), course);
}

/** To be run as an effect: play what is pending, unless something else was chosen meanwhile. */
export function playPending(): void {
  const wanted = pending.value;
  if (wanted === null) return;
  const { side, run, step, course } = wanted;
  const other = hearing.value !== side || store.sides.value[side] !== run;
  if (other || player.shown.value.step !== step || coverageError(side) !== null) {
    pending.value = null;
  } else if (sources[side].value !== null) {
    untracked(() => playFrom(step, course));
  }
}

/** ", alone: late", while only a part of what could be heard is; else nothing. */
export function aloneWords(): string {
  const alone = [...[...soloed.value].map(spokenName), ...soloedStreams.value];
  return alone.length === 0 ? "" : `, alone: ${alone.join(", ")}`;
}

/** What is heard, for a sentence. */
function heardWords(): string {
  const lack = lackWords(otherSide(hearing.value));
  if (listening.value === "one") return runWords(hearing.value);
  if (lack !== null) return `${runWords(hearing.value)}. ${lack}`;
  return listening.value === "both" ? "A on the left, B on the right" : "A and B alternating";
}

/** Hear the run in A or in B; at the same step, without a break. */
export function hear(side: Side): void {
  if (hearing.value === side && listening.value === "one") {
    announcer.say(`Already on ${runWords(side)}`);
    return;
  }
  if (store.sides.value[side] === null) {
    announcer.say(whySilent(side));
    return;
  }
  const step = across(playheadStep.value, hearing.value, side);
  const [from, to] = (loop.value ?? []).map((each) => across(each, hearing.value, side));
  batch(() => {
    if (from !== undefined && to !== undefined) loop.value = [from, to];
    hearing.value = side;
    if (listening.value !== "one") listening.value = "one";
  });
  if (sources[side].value === null) {
    announcer.say(whySilent(side));
    if (coverages[side].value !== null || !store.runOf(side)?.hasNorms) player.rest(step);
    return;
  }
  if (!isPlaying()) player.rest(step);
  announcer.say(`Hearing ${runWords(side)}`);
}

/** Hear both runs: at once, A on the left and B on the right, or by turns. */
export function hearBoth(how: "both" | "blink"): void {
  if (SIDES.some((side) => store.sides.value[side] === null)) {
    announcer.say("Choose a second run to hear both");
    return;
  }
  batch(() => {
    hearing.value = "a";
    listening.value = how;
  });
  announcer.say(`Hearing ${heardWords()}`);
}

export const faster = (): void => changeSpeed(1);
export const slower = (): void => changeSpeed(-1);

export function normalSpeed(): void {
  chooseSpeed(null);
  announcer.say("Normal speed");
}

function changeSpeed(by: 1 | -1): void {
  const speeds = speedsOf(hearing.value);
  if (speeds.length === 1) {
    announcer.say(noServer ?? "");
    return;
  }
  const at = speeds.indexOf(sound.value.speed) + by;
  const speed = speeds[clamp(at, 0, speeds.length - 1)] ?? null;
  chooseSpeed(speed);
  announcer.say(speed === null ? "Normal speed" : `${speed} notes a second`);
}

/** Play the live end of a run that is being trained and stay there, or no longer. */
export function follow(): void {
  if (following.value) {
    following.value = false;
    announcer.say("Following off");
    return;
  }
  playLiveEnd();
  announcer.say("Following the live end");
}

/** Play the last seconds of the run, and what comes. */
export function playLiveEnd(): void {
  const source = sources[hearing.value].value;
  if (source === null) return;
  const { sampleRate, hop } = source.preset;
  const notes = Math.round((LIVE_SECONDS * sampleRate) / hop);
  const first = Math.max(0, source.timeline.notes - notes);
  playFrom(source.timeline.steps[first] ?? 0, { loop: null });
  following.value = true;
}

/** Hear nothing but the run that is heard, or the other one again as well. */
export function soloHere(): void {
  const run = store.sides.value[hearing.value];
  if (run === null) return;
  toggleSolo(run);
  announcer.say(`${spokenName(run)} ${soloed.value.has(run) ? "alone" : "not alone"}`);
}

export function muteHere(): void {
  const run = store.sides.value[hearing.value];
  if (run === null) return;
  toggleMute(run);
  announcer.say(`${spokenName(run)} ${mutedRuns.value.has(run) ? "muted" : "not muted"}`);
}

/** Hear the drawn curve beside the norms, or no longer. */
export function toggleCurve(): void {
  if (curveSilence.value !== null) {
    announcer.say(curveSilence.value);
    return;
  }
  curveHeard.value = !curveHeard.value;
  const partner = store.partnerTag[hearing.value].value;
  const heard = partner === null ? "" : `, and ${spokenName(partner)} an octave above it`;
  announcer.say(curveHeard.value ? `The curve is heard as well${heard}` : "The curve is silent");
}

export function toggleMonitor(): void {
  monitoring.value = !monitoring.value;
  const on = `Monitoring ${runWords(hearing.value)}: its newest point is said as it comes`;
  announcer.say(monitoring.value ? on : "Monitoring off");
}
