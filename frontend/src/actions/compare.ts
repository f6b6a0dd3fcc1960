/** A and B at the playhead, in one sentence; loaded when it is asked for. */

import { effect, untracked } from "@preact/signals";
import { comparedWords } from "../model/norms";
import { WORDS } from "../model/quantity";
import { factorWords, formatStep, formatValue, spokenName } from "../model/words";
import { coverages } from "../state/hearing";
import { normHere } from "../state/layers";
import { announcer, playheadStep, runWords, valueHere } from "../state/playing";
import { quantity, tag } from "../state/runs";
import { SIDES, type Side } from "../units";

const PATIENCE_MS = 1_000;

/** Say how A and B are to each other at the playhead: values, then norms, once they are known. */
export function compareHere(): void {
  const values = SIDES.map((side) => valueHere(side)?.max);
  const step = `step ${formatStep(playheadStep.value)}`;
  const named = SIDES.map(
    (side, at) => `${runWords(side)} ${formatValue(values[at] ?? Number.NaN)}`,
  );
  const name = tag.value === null ? "" : `${spokenName(tag.value)} `;
  const losses = `${step}: ${name}${named.join(", ")}, ${relation(values[0], values[1])}`;
  const say = (norms: string) => {
    clearTimeout(late);
    announcer.say(`${losses}; ${norms}`);
    queueMicrotask(() => dispose());
  };
  const late = setTimeout(() => say("the norms are still loading"), PATIENCE_MS);
  const dispose = effect(() => {
    const norms = normsCompared();
    if (norms !== null) untracked(() => say(norms));
  });
}

function relation(a = Number.NaN, b = Number.NaN): string {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return "not comparable";
  if (a === b) return "equal";
  const which = b < a ? "B lower" : "B higher";
  const factor = Math.max(a / b, b / a);
  if (a > 0 && b > 0 && factor > 2) return `${which} by ${factorWords(factor)}`;
  const percent = (100 * Math.abs(b - a)) / Math.abs(a);
  return a === 0 ? which : `${which} by ${percent.toPrecision(2)} %`;
}

/** The layer whose norms differ most, and by how much the others do; null while they are not known. */
function normsCompared(): string | null {
  const layersOf = (side: Side) =>
    (coverages[side].value?.streams ?? []).flatMap(({ layers }) => [...layers]);
  const [own, others] = [layersOf("a"), new Set(layersOf("b"))];
  const shared = own.filter((layer) => others.has(layer));
  if (shared.length === 0) return "no layers in both";
  const pairs = shared.map((layer) => {
    const [a, b] = [normHere("a", [layer]), normHere("b", [layer])];
    return { layer, a, b, ratio: a === null || b === null ? Number.NaN : ratioOf(a, b) };
  });
  if (pairs.some(({ a, b }) => a === null || b === null)) return null;
  const [worst, next] = pairs.sort((one, other) => other.ratio - one.ratio);
  if (worst === undefined) return null;
  const name = `${WORDS[quantity.value].short}s`;
  if (worst.ratio === 1) return `${name} equal`;
  const words = `${name}: ${spokenName(worst.layer)} ${comparedWords(worst.a, worst.b, quantity.value)}`;
  if (next === undefined || !Number.isFinite(next.ratio)) return words;
  return `${words}, all others within ${formatValue(Number(next.ratio.toPrecision(2)))} times`;
}

/** How many times the larger of two is the smaller; without limit where either is no positive number. */
const ratioOf = (a: number, b: number): number =>
  a > 0 && b > 0 && Number.isFinite(a / b) ? Math.max(a / b, b / a) : Number.POSITIVE_INFINITY;
