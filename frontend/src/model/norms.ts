/** Gradient norms of one note, layer by layer, in words. */

import type { NoteTable } from "./answers";
import { formatValue } from "./format";
import { worse } from "./heatmap";

export type LayerNorm = {
  readonly layer: string;
  readonly text: string;
  /** How far along the scale of 1e-8 to 1e8 the norm is, 0 to 1; null where it is not a number. */
  readonly level: number | null;
  /** Something that has an earcon: not a number, or exactly zero. */
  readonly alarm: "nan" | "inf" | "zero" | null;
};

const DECADES = 8; // on either side of a norm of 1, the range that has a pitch

/** The layers of a note; empty where the table does not have it. */
export function layerNorms(table: NoteTable, note: number): LayerNorm[] {
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
      text: inWords(median, max, nan, inf),
      level: max > 0 ? levelOf(max) : null,
      alarm: nan > 0 ? "nan" : inf > 0 ? "inf" : max === 0 ? "zero" : null,
    };
  });
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
export const normWords = (norm: number | null): string =>
  norm === null ? "…" : norm < 0 ? "no gradient" : formatValue(norm);

/** How one norm is to the other, in words. */
export function ratioWords(norm: number | null, other: number | null): string {
  if (norm === null || other === null) return "…";
  if (norm < 0 && other < 0) return "no gradient";
  if (norm < 0 || other < 0) return norm < 0 ? "only in B" : "only in A";
  if (norm === other) return "A equals B";
  if (!Number.isFinite(norm / other) || norm === 0) {
    return `A ${formatValue(norm)}, B ${formatValue(other)}`;
  }
  const times = formatValue(Number(Math.max(norm / other, other / norm).toPrecision(3)));
  return norm > other ? `A ${times} times B` : `B ${times} times A`;
}

/** The layers that are NaN in a note. */
export function nanLayers(norms: readonly LayerNorm[]): string[] {
  return norms.filter(({ alarm }) => alarm === "nan").map(({ layer }) => layer);
}

function inWords(median: number, max: number, nan: number, inf: number): string {
  const bad = [nan > 0 ? "NaN" : "", inf > 0 ? "Inf" : ""]
    .filter((word) => word !== "")
    .join(" and ");
  if (max < 0) return bad || "no gradient";
  const value = max === 0 ? "0" : formatValue(max);
  const finite = median === max ? value : `${value}, median ${formatValue(median)}`;
  return bad === "" ? finite : `${bad}, else ${finite}`;
}

const levelOf = (norm: number): number =>
  Math.max(0, Math.min(1, (Math.log10(norm) + DECADES) / (2 * DECADES)));
