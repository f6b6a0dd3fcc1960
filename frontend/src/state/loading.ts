/** How much has come from the server, and what went wrong with it. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { viewQuery } from "../server/api";
import type { Entry } from "../server/resource";
import { SIDES, type Side } from "../units";
import {
  coverageResource,
  curveResource,
  newestResource,
  otherCurveResource,
  runResource,
  scalarsResource,
  summaryResource,
} from "./data";
import { coverageError, noteQueries } from "./hearing";
import { newestKey, otherCurveKeys, sides, tag } from "./runs";

export type Progress = { readonly done: number; readonly all: number };

/** Answers that have come, of those that are waited for. */
export const progress: ReadonlySignal<Progress> = computed(() => {
  const behind = otherCurveKeys().map((key) => isHere(otherCurveResource.get(key)));
  const parts = [isHere(runResource.get([])), ...SIDES.flatMap(partsOf), ...behind];
  return { done: parts.filter(Boolean).length, all: parts.length };
});

/** Of the run in A or B: what there is to draw, the curve, what can be heard. */
function partsOf(side: Side): boolean[] {
  const run = sides.value[side];
  if (run === null) return [];
  const signals = scalarsResource.get([run]);
  const drawn = tag.value;
  const has = drawn !== null && signals.value?.scalars.includes(drawn);
  const curve = isHere(signals) && (!has || isHere(curveResource.get([run, drawn])));
  const view = noteQueries[side].value;
  const notes = view === null ? curve : isHere(coverageResource.get([viewQuery(view)]));
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

/** The first thing that is wrong, in its own words; null where nothing is. */
export const serverProblem: ReadonlySignal<string | null> = computed(() => {
  const drawn = tag.value;
  const entries = [
    newestResource.get(newestKey.value), // asked for most often, so that it knows best
    runResource.get([]),
    ...(drawn === null ? [] : [summaryResource.get([drawn])]),
    ...SIDES.flatMap((side) => {
      const run = sides.value[side];
      if (run === null) return [];
      const curve = drawn === null ? [] : [curveResource.get([run, drawn])];
      return [scalarsResource.get([run]), { error: coverageError(side) }, ...curve];
    }),
  ];
  return entries.find(({ error }) => error !== null)?.error ?? null;
});

const FIRST_MS = 3_000;
const LONGEST_MS = 60_000;

/**
 * To be run as an effect: while something is wrong, ask again, ever less often.
 *
 * TensorBoard may have been started anew, and nobody may be at the screen to press Retry.
 */
export function askAgain(ask: () => void): (() => void) | undefined {
  if (serverProblem.value === null) return;
  let wait = FIRST_MS;
  let timer = 0;
  const later = () => {
    timer = window.setTimeout(() => {
      if (!document.hidden) ask();
      wait = Math.min(2 * wait, LONGEST_MS);
      later();
    }, wait);
  };
  later();
  return () => window.clearTimeout(timer);
}
