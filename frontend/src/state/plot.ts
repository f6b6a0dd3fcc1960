/** The curves as they are drawn: in their colours, along the x axis, smoothed, on a y axis. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Drawing } from "../draw/plot";
import type { Curve } from "../model/answers";
import { brokenSpans, lineOf } from "../model/curve";
import type { Laid } from "../model/readings";
import { shownName } from "../model/words";
import { exitOf, robustRange, wholeRange, type YAxis } from "../model/yaxis";
import { type Range, SIDES, type Side } from "../units";
import { laidCurves, laidPartners, otherCurvePlaces, seen, xAt } from "./axis";
import { outliersShown, smoothing } from "./choices";
import { lineColourOf, lineColours, log, manyRuns, partnerTag, sides } from "./runs";

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
