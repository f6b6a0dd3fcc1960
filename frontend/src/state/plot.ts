/** The curves as they are drawn: in their colours, along the x axis, smoothed, on a y axis. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Drawing } from "../draw/plot";
import type { Curve } from "../model/answers";
import { brokenSpans, lineOf } from "../model/curve";
import { shownName } from "../model/words";
import { exitOf, robustRange, wholeRange, type YAxis } from "../model/yaxis";
import { type Range, SIDES, type Side } from "../units";
import { laidCurves, laidPartners, otherCurvePlaces, seen, xAt } from "./axis";
import { outliersShown, smoothing } from "./choices";
import { lineColourOf, lineColours, log, manyRuns, sides } from "./runs";

/** A curve, its line, and which run it is of. */
export type Plotted = Omit<Drawing, "exit"> & { readonly run: string; readonly curve: Curve };

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
  return [
    {
      run,
      curve,
      role,
      name: manyRuns.value ? side.toUpperCase() : short(run),
      line: lineOf(curve, log.value, smoothing.value, at),
      colour: lineColours[side].value,
      broken: brokenSpans(curve).map(([from, to]): Range => [at(from), at(to)]),
    },
  ];
}

const behind: ReadonlySignal<readonly Plotted[]> = computed(() =>
  otherCurvePlaces.value.map(({ run, curve, xAt }) => ({
    run,
    curve,
    role: "behind",
    name: short(run),
    line: lineOf(curve, log.value, smoothing.value, xAt),
    colour: lineColourOf(run),
    broken: [],
  })),
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
