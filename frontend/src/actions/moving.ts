/** Moving the playhead, and from run to run. Called from inside a gesture: some of it is heard. */

import { extremeOf } from "../model/curve";
import { describeMove, describePlace } from "../model/describe";
import { formatStep, formatValue, spokenName } from "../model/format";
import { clamp, lastNotAfter, lastStepOf, noteAtStep, noteStart } from "../model/timeline";
import { laidCurves, steps, stepsSeen } from "../state/axes";
import { hearing } from "../state/choices";
import {
  announcer,
  finished,
  here,
  isPlaying,
  placeHere,
  player,
  unlocked,
} from "../state/playing";
import { verbosity } from "../state/preferences";
import { score } from "../state/scores";
import { sketches } from "../state/shown";
import { sources } from "../state/sources";
import * as store from "../state/store";
import { otherSide, SIDES, type Step } from "../units";
import { chooseRun } from "./choose";
import { listed } from "./desk";
import { hear } from "./transport";

/** Where the playhead can be put: at the notes, or, where nothing is heard, at the points drawn. */
export function stops(): ArrayLike<Step> {
  const side = hearing.value;
  const timeline = sources[side].value?.timeline;
  return timeline?.steps.subarray(0, timeline.notes) ?? laidCurves[side].value?.steps ?? [];
}

/** Which of the stops the playhead is at. */
export const stopHere = (all: ArrayLike<Step>): number =>
  Math.max(0, lastNotAfter(all, here.value, all.length));

export function moveByNotes(offset: number): void {
  const all = stops();
  if (all.length > 0) moveTo(all[clamp(stopHere(all) + offset, 0, all.length - 1)] ?? 0);
}

export function moveByTenths(tenths: number): void {
  const [from, to] = stepsSeen.value;
  moveTo(here.value + ((to - from) * tenths) / 10);
}

/** Where the playhead was when it was last spoken of: while a key is held, where that began. */
let left = placeHere();

/** Move the playhead: playing goes on from there; at rest, the note there is heard. */
export function moveTo(wanted: Step): void {
  const step = clamp(wanted, ...steps.value);
  const side = hearing.value;
  const source = sources[side].value;
  finished.value = false;
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
  const [found] = [...own, ...(among === "all" ? sketches.value : [])]
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
