/** The player, where it is, the landmarks it passes, and what is said of it. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Player } from "../audio/player";
import type { Curve, Landmark, NoteTable } from "../model/answers";
import { pointAt, stepsIn, valueAt } from "../model/curve";
import { describePlace, type Place } from "../model/landmarks";
import { clamp, lastStepOf, noteAtStep, spanAt, stepAtFrame } from "../model/notes";
import { type Quantity, WORDS } from "../model/quantity";
import { formatStep, formatValue, spokenName } from "../model/words";
import { fetchClip } from "../server/api";
import { noServer } from "../server/site";
import { SIDES, type Side, type Step } from "../units";
import { Announcer } from "./announcer";
import { across, laidCurves, laidPartners, steps, stepsSeen, stepsSeenOf } from "./axis";
import { hearing, loop, looping, verbosity } from "./choices";
import { landmarkResource, noteResource } from "./data";
import { coverageError, coverageOf, noteQueries, otherScore, score, sources } from "./hearing";
import {
  hasQuantity,
  lacksQuantity,
  log,
  manyRuns,
  nonNull,
  partnerTag,
  quantity,
  runOf,
  sides,
  tag,
} from "./runs";

export type SideLandmark = Landmark & { readonly side: Side };

/** What a curve of a side, on its steps, has at the playhead; null: nothing yet. */
export const valueHere = (side: Side, curve: Curve | null = laidCurves[side].value) =>
  curve === null ? null : valueAt(curve, across(playheadStep.value, hearing.value, side));

/** A run, what is heard of it, and the run that it is compared with. */
type LandmarkKey = readonly [string, Quantity, string | null];

/** The runs whose landmarks are to be known. */
export const landmarkKeys = (): LandmarkKey[] => nonNull(SIDES.map(landmarkKey));

/** The landmarks of both runs, by step. */
export const landmarks: ReadonlySignal<readonly SideLandmark[]> = computed(() =>
  SIDES.flatMap((side) => {
    const key = landmarkKey(side);
    const landmarks = key === null ? null : landmarkResource.get(key).value;
    return (landmarks ?? []).map((landmark) => ({ ...landmark, side }));
  }).sort((one, other) => one.step - other.step),
);

function landmarkKey(side: Side): LandmarkKey | null {
  const run = runOf(side);
  if (run === null || !hasQuantity(side)) return null;
  // Where two runs part is told of B alone.
  const other = side === "b" ? (runOf("a")?.name ?? null) : null;
  return [run.name, quantity.value, other === run.name ? null : other];
}

export const announcer = new Announcer(() => verbosity.peek());

/** Whether a sound has been asked for since the page was opened. */
export const unlocked = signal(false);
/** Why there is no sound although one was asked for. */
export const soundProblem = signal<string | null>(null);
/** The run that the playhead was last put into; null: none yet. */
export const placedIn = signal<string | null>(null);
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
export const playheadStep: ReadonlySignal<Step> = computed(() => {
  const [from, to] = steps.value;
  return clamp(player.shown.value.step, from, to);
});

/** The table of notes around the playhead, of the run that is heard. */
export const noteKey = computed<readonly [string, number, number] | null>(() => {
  const source = sources[hearing.value].value;
  if (source === null) return null;
  const span = spanAt(source.spans, noteAtStep(source.timeline, playheadStep.value));
  return span === undefined ? null : [source.view, span.firstNote, span.notes];
});

export const noteTable: ReadonlySignal<NoteTable | null> = computed(() =>
  noteKey.value === null ? null : noteResource.get(noteKey.value).value,
);

/** Where the playhead is, for sentences. */
export function placeHere(): Place {
  const side = hearing.value;
  const step = playheadStep.value;
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
  return manyRuns.value ? `${side.toUpperCase()}, ${spokenName(run)}` : spokenName(run);
}

/** Whether the notes of a side are still to come. */
export const isLoading = (side: Side): boolean =>
  sides.value[side] !== null &&
  !lacksQuantity(side) &&
  coverageError(side) === null &&
  coverageOf(noteQueries[side].value) === null;

/** "A, sgd has no update norms"; null where it has what is heard, or no norms at all. */
export const lackWords = (side: Side): string | null =>
  lacksQuantity(side) ? `${runWords(side)} has no ${WORDS[quantity.value].value}s` : null;

/** Why a side cannot be heard. */
export function whySilent(side: Side): string {
  const run = sides.value[side];
  if (run === null) return `No run is chosen for ${side.toUpperCase()}`;
  const lack = lackWords(side);
  if (lack !== null) return `${lack}: there is nothing to hear`;
  if (isLoading(side)) return `The notes of ${spokenName(run)} are still loading`;
  if (coverageError(side) !== null) return `The notes of ${spokenName(run)} could not be loaded`;
  return noServer && runOf(side)?.hasNorms
    ? `The sound of ${spokenName(run)} is not in this copy of the dashboard`
    : `${spokenName(run)} has no gradient norms: there is nothing to hear`;
}

export function seenWords(): string {
  const [from, to] = stepsSeen.value;
  const marks = landmarks.value.filter(({ side, step }) => {
    const [first, last] = stepsSeenOf(side);
    return first <= step && step <= last;
  }).length;
  const axis = log.value ? "logarithmic" : "linear";
  return [
    `Steps ${formatStep(from)} to ${formatStep(to)} of ${spokenName(tag.value ?? "no scalar")}, on a ${axis} axis.`,
    ...SIDES.map(curveWords).filter((words) => words !== ""),
    ...(SIDES.some(hasQuantity) ? [`Of the layers, the ${WORDS[quantity.value].value}s.`] : []),
    `${marks} landmark${marks === 1 ? "" : "s"} among them.`,
  ].join("\n");
}

/** "A, sgd: from 2.3 to 0.4; lowest 0.39 at step 480; 3 values are not numbers." */
function curveWords(side: Side): string {
  const curve = laidCurves[side].value;
  if (curve === null) return "";
  const steps = stepsIn([curve], stepsSeenOf(side));
  const points = [...steps].map((step) => ({
    step,
    value: pointAt(curve, step)?.max ?? Number.NaN,
  }));
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const [first, last] = [finite[0], finite.at(-1)];
  if (first === undefined || last === undefined)
    return `${runWords(side)}: nothing finite is drawn.`;
  const [least, most] = [1, -1].map((sign) =>
    finite.reduce((one, other) => (sign * other.value < sign * one.value ? other : one)),
  );
  const extremes = [
    ["lowest", least],
    ["highest", most],
  ] as const;
  const gaps = points.length - finite.length;
  return [
    `${runWords(side)}: from ${formatValue(first.value)} to ${formatValue(last.value)}`,
    ...extremes.map(([word, point]) =>
      point === undefined
        ? ""
        : `${word} ${formatValue(point.value)} at step ${formatStep(point.step)}`,
    ),
    gaps > 0 ? `${gaps} ${gaps === 1 ? "value is not a number" : "values are not numbers"}` : "",
  ]
    .filter((part) => part !== "")
    .join("; ")
    .concat(".");
}
