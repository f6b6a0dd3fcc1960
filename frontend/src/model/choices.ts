/** Which runs, tag and preset are taken where the user has not said, or where what was said is gone. */

import { SIDES, type Side } from "../units";
import type { Preset, Run, Signals } from "./answers";

export type Sides = Readonly<Record<Side, string | null>>;

/** The runs in A and B: what was chosen, as far as it is there; else what differs most, or comes first. */
export function settleSides(runs: readonly Run[], chosen: Sides): Sides {
  const there = (name: string | null) => (runs.some((run) => run.name === name) ? name : null);
  const audible = runs.filter((run) => run.hasNorms);
  const first = SIDES.flatMap((side) => audible.filter((run) => run.compared === side));
  const candidates = [...first, ...(audible.length > 0 ? audible : runs)].map((run) => run.name);
  const a =
    there(chosen.a) ?? candidates.find((name) => name !== chosen.b) ?? candidates[0] ?? null;
  const other = there(chosen.b);
  // No run is compared with itself: nothing would differ.
  const b = other !== null && other !== a ? other : (candidates.find((name) => name !== a) ?? null);
  return { a, b };
}

/** All tags of the runs, sorted. */
export function tagsOf(signals: readonly Signals[]): string[] {
  return [...new Set(signals.flatMap(({ scalars }) => scalars))].sort();
}

/** The tag to draw: the chosen one where a run has it, else what the first run suggests. */
export function settleTag(signals: readonly Signals[], chosen: string | null): string | null {
  const tags = tagsOf(signals);
  if (chosen !== null && tags.includes(chosen)) return chosen;
  return signals.map(({ loss }) => loss).find((loss) => loss !== null) ?? tags[0] ?? null;
}

export function settlePreset(presets: readonly Preset[], chosen: string | null): Preset | null {
  return presets.find(({ name }) => name === chosen) ?? presets[0] ?? null;
}

const FEW = 5;

/** The runs to draw: those that were chosen, else the first few; A and B are always among them. */
export function settleShown(
  runs: readonly string[],
  { a, b }: Sides,
  chosen: ReadonlySet<string> | null,
): string[] {
  const first = [a, b].filter((run) => run !== null);
  const few = [...new Set([...first, ...runs])].slice(0, FEW);
  const shown = new Set([...first, ...(chosen ?? few)]);
  return runs.filter((run) => shown.has(run));
}
