/** How much of what is shown first has come from the server. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { viewQuery } from "../server/api";
import { coverageShelf, curveShelf, runShelf, signalShelf, sketchShelf } from "../server/data";
import type { Entry } from "../server/shelf";
import { SIDES, type Side } from "../units";
import { sketchKeys } from "./shown";
import { views } from "./sources";
import { sides, tag } from "./store";

export type Progress = { readonly done: number; readonly all: number };

/** Answers that have come, of those that are waited for. */
export const progress: ReadonlySignal<Progress> = computed(() => {
  const behind = sketchKeys().map((key) => isHere(sketchShelf.get(key)));
  const parts = [isHere(runShelf.get([])), ...SIDES.flatMap(partsOf), ...behind];
  return { done: parts.filter(Boolean).length, all: parts.length };
});

/** Of the run in A or B: what there is to draw, the curve, what can be heard. */
function partsOf(side: Side): boolean[] {
  const run = sides.value[side];
  if (run === null) return [];
  const signals = signalShelf.get([run]);
  const drawn = tag.value;
  const has = drawn !== null && signals.value?.scalars.includes(drawn);
  const curve = isHere(signals) && (!has || isHere(curveShelf.get([run, drawn])));
  const view = views[side].value;
  const notes = view === null ? curve : isHere(coverageShelf.get([viewQuery(view)]));
  return [isHere(signals), curve, notes];
}

const isHere = ({ value, error }: Entry<unknown>): boolean => value !== null || error !== null;

const QUIET_MS = 1_000; // what comes sooner needs no words

/** How far loading has got, once for each quarter of what comes at first; nothing where it is quick. */
export const loadingWords = signal("");

/** Lives as long as the page. */
export function speakOfLoading(): void {
  const began = performance.now();
  let said = 0;
  const stop = effect(() => {
    const { done, all } = progress.value;
    const quarter = Math.floor((4 * done) / all);
    const late = performance.now() - began > QUIET_MS;
    if (quarter <= said) return;
    said = quarter;
    if (late) loadingWords.value = quarter < 4 ? `Loading, ${25 * quarter} %` : "Loaded";
    // Runs come first, and all is here for as long as nobody knows of anything else.
    if (quarter === 4 && all > 1) queueMicrotask(() => stop());
  });
}
