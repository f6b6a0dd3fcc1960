/** What the server knows, as far as it has been asked. */

import type { Coverage, Curve, Heatmap, Run, Summaries } from "../model/answers";
import type { Axis } from "../model/axis";
import type { Heard } from "../model/heard";
import type { Quantity } from "../model/quantity";
import {
  CURVE_POINTS,
  fetchCoverage,
  fetchCurve,
  fetchDescription,
  fetchHeard,
  fetchHeatmap,
  fetchLandmarks,
  fetchLayers,
  fetchLessons,
  fetchNewest,
  fetchNotes,
  fetchRuns,
  fetchScalars,
  fetchSummaries,
  type Query,
} from "../server/api";
import { turns } from "../server/request";
import { Resource } from "../server/resource";

export const runResource = new Resource((_: readonly [], signal) => fetchRuns(signal), sameRuns);

export const lessonResource = new Resource(
  (_: readonly [], signal) => fetchLessons(signal),
  sameText,
);

export const newestResource = new Resource(
  ([tag, ...runs]: readonly [string | null, ...string[]], signal) => fetchNewest(tag, runs, signal),
  sameText,
);

export const scalarsResource = new Resource(
  ([run]: readonly [string], signal) => fetchScalars(run, signal),
  sameText,
);

export const coverageResource = new Resource(
  ([view]: readonly [Query], signal, older: Coverage | null) => fetchCoverage(view, older, signal),
  sameCoverage,
);

export const curveResource = new Resource(
  ([run, tag]: readonly [string, string], signal) => fetchCurve(run, tag, CURVE_POINTS, signal),
  sameCurve,
);

const SKETCH_POINTS = 1_000;
const AT_ONCE = 2; // a browser has six connections to a server, and sound wants some of them
const taking = turns(AT_ONCE);

/** Curves that are drawn in the background, in fewer points. */
export const otherCurveResource = new Resource(
  ([run, tag]: readonly [string, string], signal) =>
    taking(() => fetchCurve(run, tag, SKETCH_POINTS, signal)),
  sameCurve,
);

export const summaryResource = new Resource(
  ([tag]: readonly [string], signal) => fetchSummaries(tag, signal),
  sameSummaries,
);

export const noteResource = new Resource(
  ([view, firstNote, notes]: readonly [Query, number, number], signal) =>
    fetchNotes(view, firstNote, notes, signal),
  () => false,
);

/** Most columns that are asked for of what sounds. */
export const HEARD_COLUMNS = 2_000;

export const heardResource = new Resource(
  ([sound, firstNote, notes, columns]: readonly [Query, number, number, number], signal) =>
    fetchHeard(sound, firstNote, notes, columns, signal),
  sameHeard,
);

type HeatmapKey = readonly [string, number, number, number, Quantity];

export const heatmapResource = new Resource(
  ([run, from, to, columns, quantity]: HeatmapKey, signal) =>
    fetchHeatmap(run, from, to, columns, quantity, signal),
  sameHeatmap,
);

export const layerResource = new Resource(
  ([run, from, to, quantity]: readonly [string, number, number, Quantity], signal) =>
    fetchLayers(run, from, to, quantity, signal),
  sameText,
);

const MOST_COLUMNS = 1_000;

/** What is to be asked for to fill an axis; null where there is none yet. */
export function heatmapKey(run: string, axis: Axis | null, quantity: Quantity): HeatmapKey | null {
  if (axis === null || axis.width < 1 || axis.from >= axis.to) return null;
  return [run, axis.from, axis.to, Math.min(Math.round(axis.width), MOST_COLUMNS), quantity];
}

export const descriptionResource = new Resource(
  ([run, quantity]: readonly [string, Quantity], signal) => fetchDescription(run, quantity, signal),
  sameText,
);

export const landmarkResource = new Resource(
  ([run, quantity, against]: readonly [string, Quantity, string | null], signal) =>
    fetchLandmarks(run, quantity, against, signal),
  sameText,
);

/** TensorBoard that has just been started has no runs yet; what was shown before it stays. */
function sameRuns(older: readonly Run[], newer: readonly Run[]): boolean {
  if (older.length > 0 && newer.length === 0) {
    throw new Error("TensorBoard has no runs now; what is shown was read before");
  }
  return sameText(older, newer);
}

function sameText(older: unknown, newer: unknown): boolean {
  return JSON.stringify(older) === JSON.stringify(newer);
}

function sameCoverage(older: Coverage, newer: Coverage): boolean {
  const described = ({ steps: _, times: __, ...rest }: Coverage) => rest;
  const sameTimes = sameNumbers(older.times, newer.times);
  const sameSteps = sameNumbers(older.steps, newer.steps);
  return sameSteps && sameTimes && sameText(described(older), described(newer));
}

function sameHeatmap(older: Heatmap, newer: Heatmap): boolean {
  const described = ({ max: _, ...rest }: Heatmap) => rest;
  return sameText(described(older), described(newer)) && sameNumbers(older.max, newer.max);
}

function sameHeard(older: Heard, newer: Heard): boolean {
  const tables = ["low", "mean", "high", "roughness", "tremolo", "earcons"] as const;
  const described = ({ firstNote, notes, streams, slope }: Heard) => [
    [firstNote, notes, slope],
    streams,
  ];
  if (!sameText(described(older), described(newer))) return false;
  return tables.every((name) => sameNumbers(older[name], newer[name]));
}

function sameCurve(older: Curve, newer: Curve): boolean {
  return (["steps", "min", "max"] as const).every((name) => sameNumbers(older[name], newer[name]));
}

function sameSummaries(older: Summaries, newer: Summaries): boolean {
  const flat = (all: Summaries) =>
    [...all].flatMap(([run, one]) => [run, ...Object.values({ ...one, age: 0 })]);
  const [one, other] = [flat(older), flat(newer)];
  return one.length === other.length && one.every((value, at) => Object.is(value, other[at]));
}

function sameNumbers(older: ArrayLike<number>, newer: ArrayLike<number>): boolean {
  if (older.length !== newer.length) return false;
  for (let at = 0; at < older.length; at++) {
    if (!Object.is(older[at], newer[at])) return false;
  }
  return true;
}
