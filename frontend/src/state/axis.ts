/** The x axis that everything drawn shares, the curves laid on it, and the plot as it is drawn. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Drawing } from "../draw/plot";
import type { Curve } from "../model/answers";
import {
  type Axis,
  byTime,
  hullOf,
  meet,
  onStepsOf,
  type Ruler,
  rulerOf,
  stepAtX,
  within,
  xAtStep,
} from "../model/axis";
import { brokenSpans, type Laid, lineOf } from "../model/curve";
import { shownName } from "../model/words";
import { exitOf, robustRange, wholeRange, type YAxis } from "../model/yaxis";
import { type Range, SIDES, type Side, type Step } from "../units";
import { hearing, measure, outliersShown, smoothing, viewport } from "./choices";
import { coverages } from "./hearing";
import {
  bySide,
  curves,
  lineColourOf,
  lineColours,
  log,
  manyRuns,
  nonNull,
  otherCurves,
  partners,
  partnerTag,
  sides,
} from "./runs";

/** Whether the norms and the curve of a side count the same steps. */
export const meets = bySide((side) =>
  computed(() => {
    const [coverage, curve] = [coverages[side].value, curves[side].value];
    if (coverage === null || coverage.scale !== null || curve === null) return true;
    return coverage.steps.length === 0 || meet(coverage.steps, curve.steps);
  }),
);

/** The curve of each side, on the steps of its norms by time where its own are others. */
export const laidCurves: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => laid(side, curves[side].value)),
);

/** The validation loss of each side, likewise. */
export const laidPartners: Readonly<Record<Side, ReadonlySignal<Curve | null>>> = bySide((side) =>
  computed(() => {
    const [curve, partner] = [curves[side].value, partners[side].value];
    return laid(side, curve === null || partner === null ? null : onStepsOf(curve, partner));
  }),
);

function laid(side: Side, curve: Curve | null): Curve | null {
  if (measure.value === "step" || meets[side].value) return curve;
  const coverage = coverages[side].value;
  if (coverage === null || curve === null) return curve;
  const ends = <Value>(all: ArrayLike<Value>) => [all[0], all[all.length - 1]] as Value[];
  const [began, ended] = ends(coverage.times);
  // Of a short run, no more than the start is known: then both went on for as long.
  const known =
    began === ended ? { steps: ends(coverage.steps), times: ends(curve.times) } : coverage;
  return byTime(known, curve);
}

/** Whether there is anything yet to lay out steps by. */
export const laidOut = computed(() => SIDES.some((side) => extents[side].value !== null));

const rulers: Readonly<Record<Side, ReadonlySignal<Ruler>>> = bySide((side) =>
  computed(() => rulerOf(measure.value, nonNull([coverages[side].value, laidCurves[side].value]))),
);

/** First and last step of a side that are drawn or can be heard; null where none are. */
const extents: Readonly<Record<Side, ReadonlySignal<Range | null>>> = bySide((side) =>
  computed(() => {
    const [coverage, curve] = [coverages[side].value, laidCurves[side].value];
    return hullOf([...ends(coverage?.steps), ...ends(curve?.steps), curve?.lastStep ?? null]);
  }),
);

/** Where a step of a run lies on the axis. */
export const xAt = (side: Side, step: Step): number => xAtStep(rulers[side].value, step);

/** The step of a run at a place on the axis. */
export const stepAt = (side: Side, x: number): Step => stepAtX(rulers[side].value, x);

/** The step of one run that lies where a step of the other does, or, by the clock, has its number. */
export const across = (step: Step, from: Side, to: Side): Step =>
  from === to || measure.value === "clock" ? step : stepAt(to, xAt(from, step));

/** The curves behind those of A and B, and where their steps lie. */
export const otherCurvePlaces = computed(() =>
  otherCurves.value.map(({ run, curve }) => {
    const ruler = rulerOf(measure.value, [curve]);
    return { run, curve, xAt: (step: Step) => xAtStep(ruler, step) };
  }),
);

/** All of the axis that is drawn or can be heard. */
export const domain: ReadonlySignal<Range> = computed(() => {
  const own = SIDES.flatMap((side) => (extents[side].value ?? []).map((step) => xAt(side, step)));
  const behind = otherCurvePlaces.value.flatMap(({ curve, xAt }) => {
    const { steps, lastStep } = curve;
    return steps[0] === undefined ? [] : [xAt(steps[0]), xAt(lastStep ?? steps[0])];
  });
  const [from, to] = hullOf([...own, ...behind]) ?? [0, 1];
  if (from < to) return [from, to];
  return measure.value === "share" ? [0, 1] : [from - 0.5, to + 0.5];
});

/** The part of the axis that is seen. */
export const seen: ReadonlySignal<Range> = computed(() => within(domain.value, viewport.value));

/** Of all lanes, in CSS pixels. */
export const timelineWidth = signal(0);

const LEFT_PIXELS = 64; // for the labels of the y axis
const RIGHT_PIXELS = 20;

export const axis: ReadonlySignal<Axis> = computed(() => {
  const [from, to] = seen.value;
  const width = Math.max(0, timelineWidth.value - LEFT_PIXELS - RIGHT_PIXELS);
  return { from, to, left: LEFT_PIXELS, width };
});

/** Whether the axis is known, so that what lies on it can be asked for and drawn. */
export const drawable = computed(() => laidOut.value && axis.value.width > 0);

/** The steps of the run that is heard, all of them and those that are seen. */
export const steps: ReadonlySignal<Range> = computed(
  () =>
    extents[hearing.value].value ?? [
      stepAt(hearing.value, domain.value[0]),
      stepAt(hearing.value, domain.value[1]),
    ],
);
export const stepsSeen: ReadonlySignal<Range> = computed(() => stepsSeenOf(hearing.value));

/** The steps of a run that are seen; where only others are, the ends of what there is. */
export const stepsSeenOf = (side: Side): Range => [
  stepAt(side, seen.value[0]),
  stepAt(side, seen.value[1]),
];

const ends = (steps: Float64Array | undefined): (number | undefined)[] => [
  steps?.[0],
  steps?.at(-1),
];

/** A curve and its line; `side` is that of the run in A or B, `title` the name of the run or the tag. */
export type Plotted = Omit<Drawing, "exit"> &
  Laid & { readonly side: Side | null; readonly title: string; readonly curve: Curve };

const MOST_LETTERS = 24; // of the name of a run at the edge of the picture

/** All that is plotted; A and B last, so that they lie over the others. */
export const plotted: ReadonlySignal<readonly Plotted[]> = computed(() => [
  ...behind.value,
  ...SIDES.flatMap((side) => plottedOf(side, "partner", laidPartners[side].value)),
  ...[...SIDES].reverse().flatMap((side) => plottedOf(side, side, laidCurves[side].value)),
]);

function plottedOf(side: Side, role: Side | "partner", curve: Curve | null): Plotted[] {
  if (curve === null || curve.steps.length === 0) return [];
  const run = sides.value[side] ?? "";
  const at = (step: number) => xAt(side, step);
  const line = lineOf(curve, log.value, smoothing.value, at);
  return [
    {
      side,
      title: role === "partner" ? (partnerTag[side].value ?? "") : run,
      curve,
      xs: line.xs,
      end: at(curve.lastStep ?? Number.NEGATIVE_INFINITY),
      role,
      name: manyRuns.value ? side.toUpperCase() : short(run),
      line,
      colour: lineColours[side].value,
      broken: brokenSpans(curve).map(([from, to]): Range => [at(from), at(to)]),
    },
  ];
}

const behind: ReadonlySignal<readonly Plotted[]> = computed(() =>
  otherCurvePlaces.value.map(({ run, curve, xAt }) => {
    const line = lineOf(curve, log.value, smoothing.value, xAt);
    const end = xAt(curve.lastStep ?? Number.NEGATIVE_INFINITY);
    const own = { side: null, title: run, curve, xs: line.xs, end, line };
    const role = "behind";
    return { ...own, role, name: short(run), colour: lineColourOf(run), broken: [] };
  }),
);

function short(run: string): string {
  const letters = [...shownName(run)];
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS).join("")}…` : run;
}

const everything = (range?: Range): YAxis =>
  wholeRange(
    plotted.value.map(({ line }) => line),
    log.value,
    range,
  );

const withoutOutliers = (range?: Range): YAxis =>
  robustRange(
    plotted.value.map(({ line, role }) => ({ line, compared: role !== "behind" })),
    log.value,
    range,
  );

/** The y axis of what is seen, and of all there is. */
export const yAxis = computed(() =>
  (outliersShown.value ? everything : withoutOutliers)(seen.value),
);
export const yWhole = computed(() => (outliersShown.value ? everything : withoutOutliers)());

export const drawings: ReadonlySignal<readonly Drawing[]> = computed(() =>
  plotted.value.map((each) => ({ ...each, exit: exitOf(each.line, yAxis.value, seen.value) })),
);

/** How many points are outliers, whether or not these are in the picture. */
export const outliers: ReadonlySignal<number> = computed(() => {
  const without = outliersShown.value ? withoutOutliers(seen.value) : yAxis.value;
  const beyond = ({ line }: Plotted) => exitOf(line, without, seen.value)?.points ?? 0;
  return plotted.value.reduce((sum, each) => sum + beyond(each), 0);
});

/** Of the canvas of the curve, in CSS pixels. */
export const plotHeight = signal(0);

/** Where the pointer is, in CSS pixels from the left of the lanes and from the top of the plot's canvas. */
export const pointer = signal<{ readonly x: number; readonly y: number } | null>(null);
