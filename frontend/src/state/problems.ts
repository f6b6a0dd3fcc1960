/** What went wrong with the server. */

import { computed, type ReadonlySignal } from "@preact/signals";
import {
  chartShelf,
  curveShelf,
  newestShelf,
  runShelf,
  signalShelf,
  summaryShelf,
} from "../server/data";
import { SIDES } from "../units";
import { coverageError } from "./sources";
import { newestKey, sides, tag } from "./store";

/** The first thing that is wrong, in its own words; null where nothing is. */
export const serverProblem: ReadonlySignal<string | null> = computed(() => {
  const drawn = tag.value;
  const entries = [
    newestShelf.get(newestKey.value), // asked for most often, so that it knows best
    runShelf.get([]),
    ...(drawn === null ? [] : [summaryShelf.get([drawn])]),
    chartShelf.get([]),
    ...SIDES.flatMap((side) => {
      const run = sides.value[side];
      if (run === null) return [];
      const curve = drawn === null ? [] : [curveShelf.get([run, drawn])];
      return [signalShelf.get([run]), { error: coverageError(side) }, ...curve];
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
