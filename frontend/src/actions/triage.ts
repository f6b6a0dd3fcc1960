/** Going to what is wrong: the worst run, the next worst, and where in it. */

import { signal, untracked } from "@preact/signals";
import { formatStep, spokenName } from "../model/format";
import type { RunProblem } from "../model/watch";
import { laidCurves } from "../state/axes";
import { focusedRow, hearing } from "../state/choices";
import { rows } from "../state/layers";
import { announcer } from "../state/playing";
import { sources } from "../state/sources";
import { runOf } from "../state/store";
import { problems } from "../state/watch";
import { hearRun, moveTo } from "./moving";

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
  document.querySelector<HTMLElement>(".timeline")?.focus();
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
