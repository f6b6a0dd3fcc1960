/** Norms of one note, layer by layer, in words. */

import type { Range } from "../units";
import type { NoteTable } from "./answers";
import { formatValue } from "./format";
import { worse } from "./heatmap";
import { formatNorm, type Quantity, WORDS } from "./quantity";
import { clamp } from "./timeline";

export type LayerNorm = {
  readonly layer: string;
  readonly text: string;
  /** How far along the scale of what has a pitch the norm is, 0 to 1; null where it is not a number. */
  readonly level: number | null;
  /** Something that has an earcon: not a number, or exactly zero. */
  readonly alarm: "nan" | "inf" | "zero" | null;
};

const DECADES = 8; // on either side of what sounds at 440 Hz

/** The layers of a note; empty where the table does not have it. */
export function layerNorms(table: NoteTable, note: number, quantity: Quantity): LayerNorm[] {
  const [least, most] = pitchRange(quantity).map(Math.log10) as [number, number];
  const row = note - table.firstNote;
  if (row < 0 || row >= table.notes) return [];
  const columns = table.layers.length;
  return table.layers.map((layer, column) => {
    const at = row * columns + column;
    const median = table.median[at] ?? -1;
    const max = table.max[at] ?? -1;
    const nan = table.nan[at] ?? 0;
    const inf = table.inf[at] ?? 0;
    return {
      layer,
      text: inWords({ median, max, nan, inf }, quantity),
      level: max > 0 ? clamp((Math.log10(max) - least) / (most - least), 0, 1) : null,
      alarm: nan > 0 ? "nan" : inf > 0 ? "inf" : max === 0 ? "zero" : null,
    };
  });
}

/** The values between which there is a pitch for each. */
export function pitchRange(quantity: Quantity): Range {
  const { at440Hz } = WORDS[quantity];
  return [at440Hz * 10 ** -DECADES, at440Hz * 10 ** DECADES];
}

/** The worst norm of some layers in a note: NaN, infinity, else the largest; -1 where none is. */
export function worstNorm(
  table: NoteTable,
  note: number,
  layers: readonly string[],
): number | null {
  const row = note - table.firstNote;
  if (row < 0 || row >= table.notes) return null;
  let worst = -1;
  table.layers.forEach((layer, column) => {
    if (!layers.includes(layer)) return;
    const at = row * table.layers.length + column;
    const finite = (table.inf[at] ?? 0) > 0 ? Number.POSITIVE_INFINITY : (table.max[at] ?? -1);
    const norm = (table.nan[at] ?? 0) > 0 ? Number.NaN : finite;
    if (worse(norm, worst)) worst = norm;
  });
  return worst;
}

/** A norm that may be none, in words. */
export const normWords = (norm: number | null, quantity: Quantity): string =>
  norm === null ? "…" : norm < 0 ? WORDS[quantity].none : formatNorm(norm, quantity);

/** How one norm is to the other, in words. */
export function comparedWords(
  norm: number | null,
  other: number | null,
  quantity: Quantity,
): string {
  if (norm === null || other === null) return "…";
  if (norm < 0 && other < 0) return WORDS[quantity].none;
  if (norm < 0 || other < 0) return norm < 0 ? "only in B" : "only in A";
  if (norm === other) return "A equals B";
  if (!Number.isFinite(norm / other) || norm === 0) {
    return `A ${formatNorm(norm, quantity)}, B ${formatNorm(other, quantity)}`;
  }
  const times = formatValue(Number(Math.max(norm / other, other / norm).toPrecision(3)));
  return norm > other ? `A ${times} times B` : `B ${times} times A`;
}

/** The layers that are NaN in a note. */
export function nanLayers(norms: readonly LayerNorm[]): string[] {
  return norms.filter(({ alarm }) => alarm === "nan").map(({ layer }) => layer);
}

type Note = Readonly<Record<"median" | "max" | "nan" | "inf", number>>;

function inWords({ median, max, nan, inf }: Note, quantity: Quantity): string {
  const bad = [nan > 0 ? "NaN" : "", inf > 0 ? "Inf" : ""]
    .filter((word) => word !== "")
    .join(" and ");
  if (max < 0) return bad || WORDS[quantity].none;
  const value = formatNorm(max, quantity);
  const finite = median === max ? value : `${value}, median ${formatNorm(median, quantity)}`;
  return bad === "" ? finite : `${bad}, else ${finite}`;
}
