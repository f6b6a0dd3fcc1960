/** Sentences for the status line, which is also what a screen reader says. */

import type { Step } from "../units";
import { formatRange, formatStep, spokenName } from "./format";

export type Place = {
  readonly run: string | null;
  readonly step: Step;
  readonly tag: string | null;
  /** The drawn tag there; null where the run has no value yet. */
  readonly value: { readonly min: number; readonly max: number } | null;
  /** The validation loss there, of a training loss that has one. */
  readonly beside?: Pick<Place, "tag" | "value">;
};

/** All of a place: "sgd-0.1, step 1,240, loss/train 0.482". */
export function describePlace(place: Place): string {
  const beside = place.beside === undefined ? "" : valueWords(place.beside);
  return join([runWords(place), stepWords(place), valueWords(place), beside]);
}

/** A place reached from another one: run and tag are said only where they change. */
export function describeMove(from: Place, to: Place): string {
  const sameRun = from.run === to.run;
  const sameTag = from.tag === to.tag;
  const value = sameTag && to.value !== null ? formatRange(to.value) : valueWords(to);
  const change = sameRun && sameTag ? changeWords(from, to) : "";
  return join([sameRun ? "" : runWords(to), stepWords(to), value, change]);
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== "").join(", ");

const runWords = ({ run }: Place): string => (run === null ? "" : spokenName(run));

const stepWords = ({ step }: Place): string => `step ${formatStep(step)}`;

const valueWords = ({ tag, value }: Pick<Place, "tag" | "value">): string =>
  tag === null || value === null ? "" : `${spokenName(tag)} ${formatRange(value)}`;

function changeWords(from: Place, to: Place): string {
  if (from.value === null || to.value === null) return "";
  const percent = Math.round((100 * (to.value.max - from.value.max)) / Math.abs(from.value.max));
  if (!Number.isFinite(percent) || percent === 0) return "";
  return percent > 0 ? `up ${percent} %` : `down ${-percent} %`;
}
