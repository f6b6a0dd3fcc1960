/** Setters of what is chosen; what changes for the ear is said. */

import { batch } from "@preact/signals";
import { PITCH_ZOOMS, type PitchZoom, TOGETHER } from "../model/answers";
import type { Measure } from "../model/axis";
import { MEASURED_BY, nextQuantity, type Quantity, WORDS } from "../model/quantity";
import { spokenName } from "../model/words";
import { noServer } from "../server/site";
import { stepsSeen, xAt } from "../state/axis";
import {
  chosenLog,
  chosenPreset,
  chosenQuantity,
  chosenSides,
  chosenTag,
  curveHeard,
  hearing,
  measure,
  remember,
  smoothing,
  sound,
  viewport,
  volume,
} from "../state/choices";
import { curveSilence, sources } from "../state/hearing";
import { announcer, isPlaying, lackWords, whySilent } from "../state/playing";
import { chosenRuns, nonNull, quantity, sides, tag } from "../state/runs";
import { answerCalm, CALM } from "../state/watch";
import { otherSide, type Seconds, SIDES, type Side } from "../units";
import { zoomTo } from "./zoom";

const WHOLE_SECONDS: Seconds = 10;

/** What is said of a choice for the x axis: it is also how two runs are compared. */
const ALIGNED: Readonly<Record<Measure, string>> = {
  step: "Runs are compared step by step",
  time: "Runs are compared by the time since each began",
  clock: "Drawn by the clock, compared step by step",
  share: "Runs are compared by the share that is done",
};

export function setVolume(share: number): void {
  volume.value = share;
  remember("volume", String(share));
}

export function choosePreset(name: string): void {
  chosenPreset.value = name;
  remember("preset", name);
  // Who was listening to the curve is told that it is silent now.
  if (curveHeard.value && curveSilence.value !== null) announcer.say(curveSilence.value);
}

/** Take the calm sound that is offered for a live run, or keep the sound; it is not offered again. */
export function answerOffer(takes: boolean): void {
  if (takes) choosePreset(CALM);
  answerCalm();
  // What was pressed is gone; this is where the choice is made from now on.
  document.querySelector<HTMLElement>("#preset")?.focus();
  announcer.say(`${takes ? "Calm sound" : "The sound stays"}: choose it under Sound`);
}

/** Hear and see gradients, updates, their ratio to the weights, or these, at the same step. */
export function chooseQuantity(next: Quantity): void {
  chosenQuantity.value = next;
  remember("quantity", next);
  announcer.say([hearingWords(), ...nonNull(SIDES.map(lackWords))].join(". "));
}

/** Hear the next one that a run has. */
export function cycleQuantity(): void {
  const next = nextQuantity(chosenRuns.value, quantity.value);
  if (next !== null) chooseQuantity(next);
  else if (chosenRuns.value.some(({ hasNorms }) => hasNorms))
    announcer.say(`There are ${WORDS[quantity.value].heard} only. ${noServer ?? MEASURED_BY}`);
  else announcer.say(whySilent(hearing.value));
}

const hearingWords = (): string => `Hearing ${WORDS[quantity.value].heard}`;

export function setLog(log: boolean): void {
  chosenLog.value = log;
}

/** Lay the runs along another measure; the part that is seen stays about where it is. */
export function chooseMeasure(next: Measure): void {
  const part = viewport.value === null ? null : stepsSeen.value;
  batch(() => {
    measure.value = next;
    viewport.value = null;
  });
  if (part !== null) zoomTo([xAt(hearing.value, part[0]), xAt(hearing.value, part[1])]);
  announcer.say(ALIGNED[next]);
}

export function setSmoothing(weight: number): void {
  smoothing.value = weight;
  remember("smoothing", String(weight));
}

export function chooseRun(side: Side, run: string): void {
  // Another run may suggest another curve; what plays of the other side must not change with it.
  if (isPlaying() && hearing.value !== side) chosenTag.value ??= tag.value;
  const other = otherSide(side);
  const heard = quantity.value;
  // A run that is on the other side changes places with the one that was here.
  const swaps = sides.value[other] === run;
  chosenSides.value = { ...sides.value, ...(swaps && { [other]: sides.value[side] }), [side]: run };
  const changed = swaps ? [side, other] : [side];
  const now = changed.map(
    (each) => `${each.toUpperCase()} is now ${spokenName(sides.value[each] ?? "")}`,
  );
  const lacks = nonNull(changed.map(lackWords));
  const others = quantity.value === heard ? lacks : [hearingWords(), ...lacks];
  announcer.say([now.join(", "), ...others].join(". "));
}

/** Notes per second; null: as the preset has it. */
export function chooseSpeed(speed: number | null): void {
  sound.value = { ...sound.value, speed };
}

export function chooseTogether(together: number): void {
  sound.value = { ...sound.value, together };
  announcer.say(together === 1 ? "Every note is heard" : `${together} notes are one`);
}

/** As many notes as one as make the whole run ten seconds long, or less. */
export function chooseWhole(): void {
  const source = sources[hearing.value].value;
  if (source === null) return;
  const { hop, sampleRate } = source.preset;
  const notes = source.timeline.notes * sound.value.together;
  const fewest = (notes * hop) / (WHOLE_SECONDS * sampleRate);
  chooseTogether(TOGETHER.find((each) => each >= fewest) ?? Math.max(...TOGETHER));
}

export function choosePitchZoom(zoom: PitchZoom): void {
  sound.value = { ...sound.value, zoom };
  announcer.say(
    `Pitch range: ${zoom === 1 ? "a semitone" : `${zoom} semitones`} for twice the ${WORDS[quantity.value].short}`,
  );
}

export function cyclePitchZoom(): void {
  const at = PITCH_ZOOMS.indexOf(sound.value.zoom);
  choosePitchZoom(PITCH_ZOOMS[(at + 1) % PITCH_ZOOMS.length] ?? 1);
}

export function toggleReference(): void {
  sound.value = { ...sound.value, reference: !sound.value.reference };
}
