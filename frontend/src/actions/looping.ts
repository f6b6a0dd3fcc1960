/** The loop: steps that are played again and again. */

import { batch } from "@preact/signals";
import { formatStep } from "../model/format";
import { clamp, noteAtStep } from "../model/timeline";
import { stepsSeen } from "../state/axes";
import { hearing, loop, looping } from "../state/choices";
import { announcer, here, whySilent } from "../state/playing";
import { sources } from "../state/sources";
import type { Range } from "../units";

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
export function setLoop([from, to]: Range): void {
  batch(() => {
    loop.value = [Math.floor(from), Math.max(Math.ceil(to), Math.floor(from) + 1)];
    looping.value = true;
  });
  announcer.say(`Loop, ${loopWords()}`);
}

/** Move the end of the loop by notes; a new one begins at the playhead. */
export function extendLoop(notes: number): void {
  const source = sources[hearing.value].value;
  if (source === null) {
    announcer.say(whySilent(hearing.value));
    return;
  }
  const { steps, notes: last } = source.timeline;
  const start = loop.value?.[0] ?? Math.floor(here.value + 1e-6);
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
