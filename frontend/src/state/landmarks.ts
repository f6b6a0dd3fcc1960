/** What there is to jump to in the runs A and B. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Landmark } from "../model/answers";
import type { Quantity } from "../model/quantity";
import { landmarkShelf } from "../server/data";
import { SIDES, type Side } from "../units";
import { hasQuantity, present, quantity, runOf } from "./store";

export type Event = Landmark & { readonly side: Side };

type LandmarkKey = readonly [string, Quantity];

/** The runs whose landmarks are to be known. */
export const landmarkKeys = (): LandmarkKey[] => present(SIDES.map(landmarkKey));

/** The landmarks of both runs, by step. */
export const events: ReadonlySignal<readonly Event[]> = computed(() =>
  SIDES.flatMap((side) => {
    const key = landmarkKey(side);
    const landmarks = key === null ? null : landmarkShelf.get(key).value;
    return (landmarks ?? []).map((landmark) => ({ ...landmark, side }));
  }).sort((one, other) => one.step - other.step),
);

function landmarkKey(side: Side): LandmarkKey | null {
  const run = runOf(side);
  return run === null || !hasQuantity(side) ? null : [run.name, quantity.value];
}
