/** What is chosen, and what follows from it and from the data. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Source } from "./audio/clips";
import { coverageShelf, curveShelf, runShelf, signalShelf } from "./data";
import { watchDark, watchMedia } from "./host";
import type { Coverage, Curve, Preset, Run, Signals } from "./model/answers";
import { type Axis, domainOf } from "./model/axis";
import { type Sides, settlePreset, settleSides, settleTag, tagsOf } from "./model/choices";
import { needsLog } from "./model/curve";
import { type Colour, colourAt, coloursOf } from "./model/palette";
import { spansOf } from "./model/spans";
import { clamp, timelineOf } from "./model/timeline";
import { recall } from "./remember";
import { SIDES, type Side } from "./units";

const QUIET = 0.5; // as a gain, a quarter: the first sound must not startle

export const chosenSides = signal<Sides>({ a: null, b: null });
export const chosenTag = signal<string | null>(null);
export const chosenPreset = signal<string | null>(recall("preset"));
export const hearing = signal<Side>("a");
/** Whether the y axis is to be logarithmic; null: as the curves ask for. */
export const chosenLog = signal<boolean | null>(null);
export const volume = signal(clamp(Number(recall("volume") ?? QUIET) || 0, 0, 1));
export const helpOpen = signal(false);
/** Where the plot lies; null until it is drawn. */
export const plot = signal<Pick<Axis, "left" | "width"> | null>(null);

export const dark = watchDark();
export const forcedColours = watchMedia("(forced-colors: active)");
export const reducedMotion = watchMedia("(prefers-reduced-motion: reduce)");

export const runs: ReadonlySignal<readonly Run[]> = computed(() => runShelf.get([]).value ?? []);
export const sides = computed(() => settleSides(runs.value, chosenSides.value));
export const colours: ReadonlySignal<ReadonlyMap<string, Colour>> = computed(() =>
  coloursOf(runs.value),
);

const signalsShown: ReadonlySignal<readonly Signals[]> = computed(() =>
  present(SIDES.map((side) => signalsOf(side))),
);
export const tags = computed(() => tagsOf(signalsShown.value));
export const tag = computed(() => settleTag(signalsShown.value, chosenTag.value));

/** The curve of each side, where the run has the tag. */
export const curves: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const run = sides.value[side];
    return run === null || tag.value === null ? null : curveShelf.get([run, tag.value]).value;
  }),
);

export const log = computed(
  () => chosenLog.value ?? needsLog(present(SIDES.map((side) => curves[side].value))),
);

export const coverages: Readonly<Record<Side, ReadonlySignal<Coverage | null>>> = bySide((side) =>
  computed(() => {
    const run = sides.value[side];
    return run === null ? null : coverageShelf.get([run]).value;
  }),
);

export const presets: ReadonlySignal<readonly Preset[]> = computed(
  () => coverages[hearing.value].value?.presets ?? [],
);

/** The colour in which a side is drawn, on the card as it is now. */
export const lineColours: Readonly<Record<Side, ReadonlySignal<string>>> = bySide((side) =>
  computed(() => {
    const colour = colours.value.get(sides.value[side] ?? "") ?? colourAt(0);
    if (forcedColours.value) return "CanvasText";
    return dark.value ? colour.dark : colour.light;
  }),
);

/** What each side plays; null where it has no sound. */
export const sources: Readonly<Record<Side, ReadonlySignal<Source | null>>> = bySide((side) =>
  computed(() => sourceOf(side)),
);

/** Whether there is anything yet to lay out steps by. */
export const laidOut = computed(() =>
  SIDES.some((side) => curves[side].value !== null || coverages[side].value !== null),
);

export const domain = computed(() =>
  domainOf(
    present(SIDES.map((side) => curves[side].value)),
    present(SIDES.map((side) => coverages[side].value)),
  ),
);

export const axis: ReadonlySignal<Axis | null> = computed(() => {
  const [from, to] = domain.value;
  return plot.value === null ? null : { from, to, ...plot.value };
});

export function signalsOf(side: Side): Signals | null {
  const run = sides.value[side];
  return run === null ? null : signalShelf.get([run]).value;
}

function sourceOf(side: Side): Source | null {
  const coverage = coverages[side].value;
  const run = runs.value.find(({ name }) => name === sides.value[side]);
  if (coverage === null || run === undefined || coverage.steps.length < 2) return null;
  const preset = settlePreset(coverage.presets, chosenPreset.value);
  if (preset === null) return null;
  return {
    run: run.name,
    startTime: run.startTime,
    preset,
    timeline: timelineOf(coverage, preset),
    spans: spansOf(coverage.segments, preset),
  };
}

function bySide<Value>(make: (side: Side) => Value): Readonly<Record<Side, Value>> {
  return { a: make("a"), b: make("b") };
}

function present<Value>(values: readonly (Value | null)[]): Value[] {
  return values.filter((value) => value !== null);
}
