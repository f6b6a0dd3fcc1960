/** What follows from what is chosen and from the data. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { watchDark, watchMedia } from "../host";
import type { Curve, Run, Signals } from "../model/answers";
import type { Axis } from "../model/axis";
import { settleSides, settleTag, tagsOf } from "../model/choices";
import { type Colour, colourAt, coloursOf } from "../model/palette";
import type { Quantity } from "../model/quantity";
import { settleQuantity } from "../model/quantity";
import { curveShelf, runShelf, signalShelf } from "../server/data";
import { SIDES, type Side } from "../units";
import { chosenQuantity, chosenSides, chosenTag } from "./choices";

/** Where the plot lies; null until it is drawn. */
export const plot = signal<Pick<Axis, "left" | "width"> | null>(null);

export const dark = watchDark();
export const forcedColours = watchMedia("(forced-colors: active)");
export const reducedMotion = watchMedia("(prefers-reduced-motion: reduce)");

export const runs: ReadonlySignal<readonly Run[]> = computed(() => runShelf.get([]).value ?? []);
/** Whether there are runs or, as far as is known, may be: the place of what shows them is kept. */
export const runsExpected = computed(() => {
  const { value, error } = runShelf.get([]);
  return value === null ? error === null : value.length > 0;
});
export const sides = computed(() => settleSides(runs.value, chosenSides.value));
export const colours: ReadonlySignal<ReadonlyMap<string, Colour>> = computed(() =>
  coloursOf(runs.value),
);

const signalsShown: ReadonlySignal<readonly Signals[]> = computed(() =>
  present(SIDES.map((side) => signalsOf(side))),
);
export const tags = computed(() => tagsOf(signalsShown.value));
export const tag = computed(() => settleTag(signalsShown.value, chosenTag.value));

/** What is asked for to know whether there is anything new. */
export const newestKey: ReadonlySignal<readonly [string | null, ...string[]]> = computed(() => [
  tag.value,
  ...present(SIDES.map((side) => sides.value[side])),
]);

/** The curve of each side, where the run has the tag. */
export const curves: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const run = sides.value[side];
    return run === null || tag.value === null ? null : curveShelf.get([run, tag.value]).value;
  }),
);

/** The validation loss beside a training loss that is drawn; null where there is none. */
export const partnerTag: Readonly<Record<Side, ReadonlySignal<string | null>>> = bySide((side) =>
  computed(() => signalsOf(side)?.pairs.find(([training]) => training === tag.value)?.[1] ?? null),
);

/** The curve of that loss. */
export const partners: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const [run, partner] = [sides.value[side], partnerTag[side].value];
    return run === null || partner === null ? null : curveShelf.get([run, partner]).value;
  }),
);

/** The colour in which a side is drawn, on the card as it is now. */
export const lineColours: Readonly<Record<Side, ReadonlySignal<string>>> = bySide((side) =>
  computed(() => lineColourOf(sides.value[side] ?? "")),
);

export function lineColourOf(run: string): string {
  const colour = colours.value.get(run) ?? colourAt(0);
  if (forcedColours.value) return "CanvasText";
  return dark.value ? colour.dark : colour.light;
}

export function signalsOf(side: Side): Signals | null {
  const run = sides.value[side];
  return run === null ? null : signalShelf.get([run]).value;
}

/** The run of a side; null where none is chosen, or where it is gone. */
export function runOf(side: Side): Run | null {
  return runs.value.find(({ name }) => name === sides.value[side]) ?? null;
}

/** The runs in A and B, as far as they are there. */
export const chosenRuns = computed(() => present(SIDES.map(runOf)));

/** What is heard and seen of the layers; a side may lack it. */
export const quantity: ReadonlySignal<Quantity> = computed(() =>
  settleQuantity(chosenRuns.value, chosenQuantity.value),
);

/** Whether the run of a side has norms of what is heard. */
export const hasQuantity = (side: Side): boolean =>
  runOf(side)?.quantities.includes(quantity.value) === true;

/** Whether the run of a side has norms, and none of what is heard: then it is silent. */
export const lacksQuantity = (side: Side): boolean =>
  runOf(side)?.hasNorms === true && !hasQuantity(side);

/** What the notes of a side are of: where it lacks what is heard, they say where its steps lie. */
export const quantityOf = (side: Side): Quantity =>
  hasQuantity(side) ? quantity.value : (runOf(side)?.quantities[0] ?? "gradient");

/** Whether there is more than one run: else nobody needs to know of A and B. */
export const several = computed(() => runs.value.length > 1);

export function bySide<Value>(make: (side: Side) => Value): Readonly<Record<Side, Value>> {
  return { a: make("a"), b: make("b") };
}

export function present<Value>(values: readonly (Value | null)[]): Value[] {
  return values.filter((value) => value !== null);
}
