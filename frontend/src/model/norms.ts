/** Gradient norms of one note, layer by layer, in words. */

import type { NoteTable } from "./answers";
import { formatValue } from "./format";

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
