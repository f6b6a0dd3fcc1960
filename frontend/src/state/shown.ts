/** Which runs are drawn, and their curves. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Curve, Summaries } from "../model/answers";
import { settleShown } from "../model/choices";
import { needsLog } from "../model/curve";
import { sketchShelf, summaryShelf } from "../server/data";
import { SIDES } from "../units";
import { chosenLog, chosenShown } from "./choices";
import { curves, partners, present, runs, sides, tag } from "./store";

/** Where all runs stand in the drawn tag; null until it is known. */
export const summaries: ReadonlySignal<Summaries | null> = computed(() =>
  tag.value === null ? null : summaryShelf.get([tag.value]).value,
);

/** The runs whose curves are drawn, those of A and B among them. */
export const shownRuns: ReadonlySignal<readonly string[]> = computed(() =>
  settleShown(
    runs.value.map(({ name }) => name),
    sides.value,
    chosenShown.value,
  ),
);

export type Sketch = { readonly run: string; readonly curve: Curve };

/** The curves that are drawn behind those of A and B, as far as they are loaded. */
export const sketches: ReadonlySignal<readonly Sketch[]> = computed(() =>
  sketchKeys().flatMap(([run, tag]) => {
    const { value } = sketchShelf.get([run, tag]);
    return value === null ? [] : [{ run, curve: value }];
  }),
);

/** What is to be asked for to draw them. */
export function sketchKeys(): (readonly [string, string])[] {
  const { a, b } = sides.value;
  const drawn = tag.value;
  if (drawn === null) return [];
  const behind = shownRuns.value.filter((run) => run !== a && run !== b);
  return behind.filter((run) => summaries.value?.has(run)).map((run) => [run, drawn] as const);
}

/** Whether the y axis is logarithmic. */
export const log: ReadonlySignal<boolean> = computed(() => {
  const own = present(SIDES.flatMap((side) => [curves[side].value, partners[side].value]));
  const behind = sketches.value.map(({ curve }) => curve);
  return chosenLog.value ?? needsLog([...own, ...behind]);
});
