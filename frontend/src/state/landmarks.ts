/** What there is to jump to in the runs A and B. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Landmark } from "../model/answers";
import type { Quantity } from "../model/quantity";
import { landmarkShelf } from "../server/data";
import { SIDES, type Side } from "../units";
import { hasQuantity, present, quantity, runOf } from "./store";

export type Event = Landmark & { readonly side: Side };

/** A run, what is heard of it, and the run that it is compared with. */
type LandmarkKey = readonly [string, Quantity, string | null];

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
  if (run === null || !hasQuantity(side)) return null;
  // Where two runs part is told of B alone.
  const other = side === "b" ? (runOf("a")?.name ?? null) : null;
  return [run.name, quantity.value, other === run.name ? null : other];
}
