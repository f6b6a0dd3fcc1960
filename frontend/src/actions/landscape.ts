/** What a person can do with the surface: walk along its paths, go to a snapshot, turn it. */

import { readWords } from "../model/surface";
import { spokenName } from "../model/words";
import { drawable } from "../state/axis";
import { hearing } from "../state/choices";
import {
  pathHere,
  pathRead,
  pathRuns,
  relief,
  snapshotHere,
  stepRead,
  surface,
  view,
} from "../state/landscape";
import { announcer, playheadStep } from "../state/playing";
import { sides } from "../state/runs";
import type { Step } from "../units";
import { goTo, hearRun, moveTo } from "./moving";
import { playFrom } from "./transport";

/** Say where the path that keys are about is. */
export function sayPlace(before = ""): void {
  announcer.settle(() => before + placeWords());
}

function placeWords(): string {
  const [shown, heights, at] = [surface.value, relief.value, pathHere.value];
  const path = shown?.paths[at];
  if (shown === null || heights === null || path === undefined) return "no path";
  return readWords(shown, heights, path, snapshotHere(path, at));
}

/** Go so many snapshots on, and say it; the playhead goes there, too. */
export function walk(by: number): void {
  const at = pathHere.value;
  const path = surface.value?.paths[at];
  if (path === undefined) return;
  const next = Math.max(0, Math.min(path.steps.length - 1, snapshotHere(path, at) + by));
  const step = path.steps[next] ?? 0;
  if (drawable.value && pathRuns.value[at] === sides.value[hearing.value]) moveTo(step);
  else if (drawable.value) showSnapshot(at, step);
  read(step);
  sayPlace();
}

/** Hear the run of the next path, where it has one, and say its name. */
export function changePath(by: number): void {
  const last = pathRuns.value.length - 1;
  const next = Math.max(0, Math.min(last, pathHere.value + by));
  pathRead.value = next;
  const run = pathRuns.value[next];
  if (run != null) hearRun(run);
  sayPlace(`${spokenName(surface.value?.paths[next]?.name ?? "")}, `);
}

/** Play from a snapshot of a path; of another run, go there. */
export function playSnapshot(at: number, snapshot: number): void {
  const path = surface.value?.paths[at];
  const step = path?.steps[snapshot];
  if (path === undefined || step === undefined) return;
  pathRead.value = at;
  if (!drawable.value) {
    read(step);
    sayPlace();
  } else if (pathRuns.value[at] === sides.value[hearing.value]) playFrom(step);
  else showSnapshot(at, step);
}

function read(step: Step): void {
  stepRead.value = { step, playhead: playheadStep.peek() };
}

function showSnapshot(at: number, step: number): void {
  const run = pathRuns.value[at];
  const path = surface.value?.paths[at];
  if (path === undefined) return;
  if (run == null) {
    moveTo(step);
    return;
  }
  const focused = document.activeElement;
  goTo({ run, problem: { kind: "", step, layer: null, sentence: `on the path ${path.name}` } });
  if (focused instanceof HTMLElement) focused.focus();
}

export const playHere = (): void => {
  const at = pathHere.value;
  const path = surface.value?.paths[at];
  if (path !== undefined) playSnapshot(at, snapshotHere(path, at));
};

const STEEPEST = 1.45;
const FLATTEST = 0.1;
const FIRST_VIEW = { yaw: -0.6, tilt: 0.85 };

export function toggleRelief(): void {
  view.value = view.value === null ? FIRST_VIEW : null;
  announcer.say(view.value === null ? "Map" : "Relief: arrows or a drag turn it");
}

/** Turn the relief, by radians. */
export function turn(yaw: number, tilt: number): void {
  const now = view.value;
  if (now === null) return;
  view.value = {
    yaw: (now.yaw + yaw) % (2 * Math.PI),
    tilt: Math.max(FLATTEST, Math.min(STEEPEST, now.tilt + tilt)),
  };
}
