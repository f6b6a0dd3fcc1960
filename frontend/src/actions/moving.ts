/** Moving the playhead: along a run, from run to run, to what is wrong; and the loop. */

import { batch, signal, untracked } from "@preact/signals";
import { extremeOf } from "../model/curve";
import { describeMove, describePlace } from "../model/landmarks";
import { clamp, lastNotAfter, lastStepOf, noteAtStep, noteStart } from "../model/notes";
import type { RunProblem } from "../model/watch";
import { formatStep, formatValue, spokenName } from "../model/words";
import { laidCurves, steps, stepsSeen } from "../state/axis";
import { focusedRow, hearing, loop, looping, verbosity } from "../state/choices";
import { score, sources } from "../state/hearing";
import { rows } from "../state/layers";
import {
  announcer,
  finished,
  isPlaying,
  placedIn,
  placeHere,
  player,
  playheadStep,
  unlocked,
  whySilent,
} from "../state/playing";
import * as store from "../state/runs";
import { otherCurves, runOf } from "../state/runs";
import { problems } from "../state/watch";
import { otherSide, type Range, SIDES, type Step } from "../units";
import { listed } from "./runs";
import { chooseRun } from "./sound";
import { hear } from "./transport";

/** Where the playhead can be put: at the notes, or, where nothing is heard, at the points drawn. */
export function stopSteps(): ArrayLike<Step> {
  const side = hearing.value;
  const timeline = sources[side].value?.timeline;
  return timeline?.steps.subarray(0, timeline.notes) ?? laidCurves[side].value?.steps ?? [];
}

/** Which of the stops the playhead is at. */
export const stopAtPlayhead = (all: ArrayLike<Step>): number =>
  Math.max(0, lastNotAfter(all, playheadStep.value, all.length));

export function moveByNotes(offset: number): void {
  const all = stopSteps();
  if (all.length > 0) moveTo(all[clamp(stopAtPlayhead(all) + offset, 0, all.length - 1)] ?? 0);
}

export function moveByTenths(tenths: number): void {
  const [from, to] = stepsSeen.value;
  moveTo(playheadStep.value + ((to - from) * tenths) / 10);
}

/** Where the playhead was when it was last spoken of: while a key is held, where that began. */
let left = placeHere();

/** Move the playhead: playing goes on from there; at rest, the note there is heard. */
export function moveTo(wanted: Step): void {
  const step = clamp(wanted, ...steps.value);
  const side = hearing.value;
  const source = sources[side].value;
  finished.value = false;
  placedIn.value = store.sides.value[side];
  if (isPlaying() && source !== null && step < lastStepOf(source.timeline)) {
    player.play(noteStart(source.timeline, step));
    return;
  }
  const from = announcer.settling ? left : placeHere();
  left = from;
  player.rest(step);
  if (source !== null) {
    unlocked.value = true;
    player.prefetch(step);
    player.stage.hearNote(score.peek(), noteAtStep(source.timeline, Math.round(step)));
  }
  announcer.settle(() =>
    verbosity.peek() === "verbose" ? describePlace(placeHere()) : describeMove(from, placeHere()),
  );
}

/** Move to where the drawn curve is lowest or highest: of the run that is heard, or of all drawn. */
export function moveToExtreme(which: "lowest" | "highest", among: "heard" | "all"): void {
  const sides = among === "all" ? SIDES : [hearing.value];
  const own = sides.map((side) => ({
    run: store.sides.value[side],
    curve: laidCurves[side].value,
  }));
  const sign = which === "lowest" ? 1 : -1;
  const [found] = [...own, ...(among === "all" ? otherCurves.value : [])]
    .flatMap(({ run, curve }) => {
      const extreme = curve === null ? null : extremeOf(curve, which);
      return extreme === null || run === null ? [] : [{ run, ...extreme }];
    })
    .sort((one, other) => sign * (one.value - other.value));
  if (found === undefined) {
    announcer.say("No finite value is drawn");
    return;
  }
  const { run, step, value } = found;
  hearRun(run);
  moveTo(step);
  const name = among === "all" ? `${spokenName(run)}, ` : "";
  announcer.say(`${which}: ${name}${formatValue(value)} at step ${formatStep(step)}`);
}

/**
 * Hear the next run of the list, or the one before. One that is in A or B is heard there, and
 * nothing else changes; any other takes the place of the one that is heard.
 */
export function moveToRun(direction: 1 | -1): void {
  const side = hearing.value;
  const names = listed.value.map(({ name }) => name);
  const next = names[names.indexOf(store.sides.value[side] ?? "") + direction];
  if (next === undefined)
    announcer.say(direction === 1 ? "No run after this" : "No run before this");
  else hearRun(next);
}

/** Hear a run: where it is, in A or B; else in the place of the one that is heard. */
export function hearRun(run: string): void {
  const side = hearing.value;
  if (run === store.sides.value[side]) return;
  if (run === store.sides.value[otherSide(side)]) hear(otherSide(side));
  else chooseRun(side, run);
}

/** Give the focus to the timeline, or to something in it. */
export const focusTimeline = (selector = ".timeline"): void =>
  document.querySelector<HTMLElement>(selector)?.focus();

/** Play the loop again and again, or no longer; without one, what is seen becomes the loop. */
export function toggleLoop(): void {
  if (loop.value === null) {
    setLoop(stepsSeen.value);
    return;
  }
  looping.value = !looping.value;
  announcer.say(looping.value ? `Loop, ${loopWords()}` : "Loop off");
}

/** Play from one step of the run that is heard to another again and again. */
export function setLoop([from, to]: Range, what = ""): void {
  batch(() => {
    loop.value = [Math.floor(from), Math.max(Math.ceil(to), Math.floor(from) + 1)];
    looping.value = true;
  });
  announcer.say(`Loop, ${what}${loopWords()}`);
}

/** Move the end of the loop by notes; a new one begins at the playhead. */
export function extendLoop(notes: number): void {
  const source = sources[hearing.value].value;
  if (source === null) {
    announcer.say(whySilent(hearing.value));
    return;
  }
  const { steps, notes: last } = source.timeline;
  const start = loop.value?.[0] ?? Math.floor(playheadStep.value + 1e-6);
  const first = noteAtStep(source.timeline, start);
  const end = loop.value === null ? first : noteAtStep(source.timeline, loop.value[1]);
  const to = clamp(end + notes, first + 1, last);
  batch(() => {
    loop.value = [steps[first] ?? start, steps[to] ?? start];
    looping.value = true;
  });
  announcer.settle(() => `Loop, ${loopWords()}`);
}

export function clearLoop(): void {
  batch(() => {
    loop.value = null;
    looping.value = false;
  });
  announcer.say("No loop");
}

function loopWords(): string {
  const [from, to] = loop.value ?? [0, 0];
  return `steps ${formatStep(from)} to ${formatStep(to)}`;
}

/** Where somebody wants to go, until the run is loaded. */
const goal = signal<RunProblem | null>(null);
let last: string | null = null;

/** To the worst run and its worst layer; again, to the next worst. */
export function goToWorst(): void {
  const all = problems.value;
  const next = all[all.findIndex(({ run }) => run === last) + 1] ?? all[0];
  if (next === undefined) announcer.say("No problems found in any run");
  else goTo(next);
}

export function goTo(wanted: RunProblem): void {
  last = wanted.run;
  hearRun(wanted.run);
  goal.value = wanted;
  focusTimeline();
  say(wanted);
}

function say({ run, problem }: RunProblem): void {
  const all = problems.peek();
  const at = all.findIndex((each) => each.run === run) + 1;
  const place = all.length > 1 && at > 0 ? `, ${at} of ${all.length} runs` : "";
  announcer.say(
    `${spokenName(run)}${place}, step ${formatStep(problem.step)}: ${problem.sentence}`,
  );
}

/** To be run as an effect: go to the place in the run as soon as it is there. */
export function reachGoal(): void {
  const wanted = goal.value;
  if (wanted === null) return;
  const side = hearing.value;
  const run = runOf(side);
  if (run?.name !== wanted.run) {
    goal.value = null; // something else was chosen meanwhile
    return;
  }
  const loaded = run.hasNorms
    ? sources[side].value
    : (sources[side].value ?? laidCurves[side].value);
  if (loaded === null) return;
  goal.value = null;
  untracked(() => {
    moveTo(wanted.problem.step);
    const { layer } = wanted.problem;
    const row = rows[side].value.find(({ layers }) => layer !== null && layers.includes(layer));
    if (row !== undefined) focusedRow.value = row.key;
    say(wanted);
  });
}
