/** The player, where it is, and what is said about it. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Player } from "../audio/player";
import type { Curve, NoteTable } from "../model/answers";
import { valueAt } from "../model/curve";
import { describePlace, type Place } from "../model/describe";
import { formatStep, spokenName } from "../model/format";
import { WORDS } from "../model/quantity";
import { spanAt } from "../model/spans";
import { clamp, lastStepOf, noteAtStep, stepAtFrame } from "../model/timeline";
import { fetchClip } from "../server/api";
import { noteShelf } from "../server/data";
import type { Side, Step } from "../units";
import { Announcer } from "./announce";
import { across, laidCurves, laidPartners, steps } from "./axes";
import { hearing, loop, looping } from "./choices";
import { verbosity } from "./preferences";
import { otherScore, score } from "./scores";
import { coverageOf, sources, views } from "./sources";
import { lacksQuantity, partnerTag, quantity, several, sides, tag } from "./store";

export const announcer = new Announcer(() => verbosity.peek());

/** Whether a sound has been asked for since the page was opened. */
export const unlocked = signal(false);
/** Why there is no sound although one was asked for. */
export const soundProblem = signal<string | null>(null);
/** Whether the playhead rests where it is because the run was heard to its end. */
export const finished = signal(false);

/** The steps that are played again and again; null where none are. */
export const activeLoop = computed(() => (looping.value ? loop.value : null));

const STOPPED = {
  locked: "The browser keeps the sound off. Click the curve, or press Space, to try again.",
  interrupted: "The sound was interrupted. Press Play to go on.",
};

export const player: Player = new Player(
  ({ source, span }, signal) => fetchClip(source.sound, span.firstNote, span.notes, signal),
  {
    score: () => score.peek(),
    other: () => otherScore.peek(),
    loop: () => activeLoop.peek(),
    across,
  },
  {
    ended: (side) => {
      const source = sources[side].peek();
      finished.value = true;
      announcer.tell(
        "end",
        source === null
          ? whySilent(side)
          : `${runWords(side)} ends at step ${formatStep(lastStepOf(source.timeline))}`,
      );
    },
    stopped: (why) => {
      const words =
        why instanceof Error ? `The sound could not be loaded: ${why.message}` : STOPPED[why];
      soundProblem.value = words; // an alert, which speaks for itself
      announcer.keep(words);
      announcer.tell("trouble", `Stopped at ${describePlace({ ...placeHere(), run: null })}`);
    },
    // What was heard when, for whoever measures it from outside.
    sounding: ({ side, anchor, timeline }, sampleRate, at) => {
      const step = stepAtFrame(timeline, anchor.frame);
      const detail = {
        side,
        run: sides.peek()[side],
        step,
        frame: anchor.frame,
        hop: timeline.hop,
        sampleRate,
      };
      performance.mark("sonify:sound", { startTime: Math.max(0, at * 1000), detail });
    },
  },
);

export const isPlaying = (): boolean => player.transport.value.state === "playing";

/** Where the playhead is, ten times a second while something plays. */
export const here: ReadonlySignal<Step> = computed(() => {
  const [from, to] = steps.value;
  return clamp(player.shown.value.step, from, to);
});

/** The table of notes around the playhead, of the run that is heard. */
export const noteKey = computed<readonly [string, number, number] | null>(() => {
  const source = sources[hearing.value].value;
  if (source === null) return null;
  const span = spanAt(source.spans, noteAtStep(source.timeline, here.value));
  return span === undefined ? null : [source.view, span.firstNote, span.notes];
});

export const noteTable: ReadonlySignal<NoteTable | null> = computed(() =>
  noteKey.value === null ? null : noteShelf.get(noteKey.value).value,
);

/** Where the playhead is, for sentences. */
export function placeHere(): Place {
  const side = hearing.value;
  const step = here.value;
  const at = (curve: Curve | null) => (curve === null ? null : valueAt(curve, step));
  return {
    run: sides.value[side],
    step,
    tag: tag.value,
    value: at(laidCurves[side].value),
    beside: { tag: partnerTag[side].value, value: at(laidPartners[side].value) },
  };
}

/** "A, sgd-0.1", for a sentence. */
export function runWords(side: Side): string {
  const run = sides.value[side];
  if (run === null) return side.toUpperCase();
  return several.value ? `${side.toUpperCase()}, ${spokenName(run)}` : spokenName(run);
}

/** Whether the notes of a side are still to come. */
export const isLoading = (side: Side): boolean =>
  sides.value[side] !== null && !lacksQuantity(side) && coverageOf(views[side].value) === null;

/** "A, sgd has no update norms"; null where it has what is heard, or no norms at all. */
export const lackWords = (side: Side): string | null =>
  lacksQuantity(side) ? `${runWords(side)} has no ${WORDS[quantity.value].value}s` : null;

/** Why a side cannot be heard. */
export function whySilent(side: Side): string {
  const run = sides.value[side];
  if (run === null) return `No run is chosen for ${side.toUpperCase()}`;
  const lack = lackWords(side);
  if (lack !== null) return `${lack}: there is nothing to hear`;
  return isLoading(side)
    ? `The notes of ${spokenName(run)} are still loading`
    : `${spokenName(run)} has no gradient norms: there is nothing to hear`;
}
