/** What there is to jump to in the runs A and B. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Landmark } from "../model/answers";
import { landmarkShelf } from "../server/data";
import { SIDES, type Side } from "../units";
import { runOf } from "./store";

export type Event = Landmark & { readonly side: Side };

/** The runs whose landmarks are to be known. */
export const landmarkKeys = (): (readonly [string])[] =>
  SIDES.map(runOf).flatMap((run) => (run?.hasNorms ? [[run.name] as const] : []));

/** The landmarks of both runs, by step. */
export const events: ReadonlySignal<readonly Event[]> = computed(() =>
  SIDES.flatMap((side) => {
    const run = runOf(side);
    const landmarks = run?.hasNorms ? landmarkShelf.get([run.name]).value : null;
    return (landmarks ?? []).map((landmark) => ({ ...landmark, side }));
  }).sort((one, other) => one.step - other.step),
);
