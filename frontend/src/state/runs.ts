/** The runs, their tags and curves, as they follow from the choices and the data. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { watchDark, watchMedia } from "../host";
import type { Curve, Run, Scalars, Summaries } from "../model/answers";
import { type Colour, colourAt, coloursOf } from "../model/colours";
import { needsLog } from "../model/curve";
import { type Quantity, settleQuantity } from "../model/quantity";
import { settleShown, settleSides, settleTag, tagsOf } from "../model/runs";
import { SIDES, type Side } from "../units";
import { chosenLog, chosenQuantity, chosenShown, chosenSides, chosenTag } from "./choices";
import {
  curveResource,
  otherCurveResource,
  runResource,
  scalarsResource,
  summaryResource,
} from "./data";

export const dark = watchDark();
export const forcedColours = watchMedia("(forced-colors: active)");
export const reducedMotion = watchMedia("(prefers-reduced-motion: reduce)");

export const runs: ReadonlySignal<readonly Run[]> = computed(() => runResource.get([]).value ?? []);
/** Whether there are runs or, as far as is known, may be: the place of what shows them is kept. */
export const runsExpected = computed(() => {
  const { value, error } = runResource.get([]);
  return value === null ? error === null : value.length > 0;
});
export const sides = computed(() => settleSides(runs.value, chosenSides.value));
export const colours: ReadonlySignal<ReadonlyMap<string, Colour>> = computed(() =>
  coloursOf(runs.value),
);

const scalarsShown: ReadonlySignal<readonly Scalars[]> = computed(() =>
  nonNull(SIDES.map((side) => scalarsOf(side))),
);
export const tags = computed(() => tagsOf(scalarsShown.value));
export const tag = computed(() => settleTag(scalarsShown.value, chosenTag.value));

/** What is asked for to know whether there is anything new. */
export const newestKey: ReadonlySignal<readonly [string | null, ...string[]]> = computed(() => [
  tag.value,
  ...nonNull(SIDES.map((side) => sides.value[side])),
]);

/** The curve of each side, where the run has the tag. */
export const curves: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const run = sides.value[side];
    return run === null || tag.value === null ? null : curveResource.get([run, tag.value]).value;
  }),
);

/** The validation loss beside a training loss that is drawn; null where there is none. */
export const partnerTag: Readonly<Record<Side, ReadonlySignal<string | null>>> = bySide((side) =>
  computed(() => scalarsOf(side)?.pairs.find(([training]) => training === tag.value)?.[1] ?? null),
);

/** The curve of that loss. */
export const partners: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const [run, partner] = [sides.value[side], partnerTag[side].value];
    return run === null || partner === null ? null : curveResource.get([run, partner]).value;
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

export function scalarsOf(side: Side): Scalars | null {
  const run = sides.value[side];
  return run === null ? null : scalarsResource.get([run]).value;
}

/** The run of a side; null where none is chosen, or where it is gone. */
export function runOf(side: Side): Run | null {
  return runs.value.find(({ name }) => name === sides.value[side]) ?? null;
}

/** The runs in A and B, as far as they are there. */
export const chosenRuns = computed(() => nonNull(SIDES.map(runOf)));

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
export const manyRuns = computed(() => runs.value.length > 1);

export function bySide<Value>(make: (side: Side) => Value): Readonly<Record<Side, Value>> {
  return { a: make("a"), b: make("b") };
}

export function nonNull<Value>(values: readonly (Value | null)[]): Value[] {
  return values.filter((value) => value !== null);
}

/** Where all runs stand in the drawn tag; null until it is known. */
export const summaries: ReadonlySignal<Summaries | null> = computed(() =>
  tag.value === null ? null : summaryResource.get([tag.value]).value,
);

/** The runs whose curves are drawn, those of A and B among them. */
export const shownRuns: ReadonlySignal<readonly string[]> = computed(() =>
  settleShown(
    runs.value.map(({ name }) => name),
    sides.value,
    chosenShown.value,
  ),
);

export type OtherCurve = { readonly run: string; readonly curve: Curve };

/** The curves that are drawn behind those of A and B, as far as they are loaded. */
export const otherCurves: ReadonlySignal<readonly OtherCurve[]> = computed(() =>
  otherCurveKeys().flatMap(([run, tag]) => {
    const { value } = otherCurveResource.get([run, tag]);
    return value === null ? [] : [{ run, curve: value }];
  }),
);

/** What is to be asked for to draw them. */
export function otherCurveKeys(): (readonly [string, string])[] {
  const { a, b } = sides.value;
  const drawn = tag.value;
  if (drawn === null) return [];
  const behind = shownRuns.value.filter((run) => run !== a && run !== b);
  return behind.filter((run) => summaries.value?.has(run)).map((run) => [run, drawn] as const);
}

/** Whether the y axis is logarithmic. */
export const log: ReadonlySignal<boolean> = computed(() => {
  const own = nonNull(SIDES.flatMap((side) => [curves[side].value, partners[side].value]));
  const behind = otherCurves.value.map(({ curve }) => curve);
  return chosenLog.value ?? needsLog([...own, ...behind]);
});

/** The curve of a run, where it is drawn and loaded. */
export function curveOf(run: string): Curve | null {
  const side = SIDES.find((each) => sides.value[each] === run);
  if (side !== undefined) return curves[side].value;
  return otherCurves.value.find((each) => each.run === run)?.curve ?? null;
}
