/** What the server knows, as far as it has been asked. */

import { fetchCoverage, fetchCurve, fetchNotes, fetchRuns, fetchSignals } from "./api";
import type { Coverage, Curve } from "./model/answers";
import { Shelf } from "./shelf";

export const runShelf = new Shelf((_: readonly [], signal) => fetchRuns(signal), sameText);

export const signalShelf = new Shelf(
  ([run]: readonly [string], signal) => fetchSignals(run, signal),
  sameText,
);

export const coverageShelf = new Shelf(
  ([run]: readonly [string], signal) => fetchCoverage(run, signal),
  sameCoverage,
);

export const curveShelf = new Shelf(
  ([run, tag]: readonly [string, string], signal) => fetchCurve(run, tag, signal),
  sameCurve,
);

export const noteShelf = new Shelf(
  ([run, firstNote, notes]: readonly [string, number, number], signal) =>
    fetchNotes(run, firstNote, notes, signal),
  () => false,
);

function sameText(older: unknown, newer: unknown): boolean {
  return JSON.stringify(older) === JSON.stringify(newer);
}

function sameCoverage(older: Coverage, newer: Coverage): boolean {
  const described = ({ steps: _, ...rest }: Coverage) => rest;
  return sameNumbers(older.steps, newer.steps) && sameText(described(older), described(newer));
}

function sameCurve(older: Curve, newer: Curve): boolean {
  return (["steps", "min", "max"] as const).every((name) => sameNumbers(older[name], newer[name]));
}

function sameNumbers(older: Float64Array, newer: Float64Array): boolean {
  return older.length === newer.length && older.every((value, at) => Object.is(value, newer[at]));
}
