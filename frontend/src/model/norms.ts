/** Norms of layers: the worst of those that share a pixel or a note, gaps, and words for them. */

import type { Range, Step } from "../units";
import type { Heatmap, NoteTable } from "./answers";
import { worse } from "./heatmap";
import { clamp } from "./notes";
import { formatNorm, type Quantity, WORDS } from "./quantity";
import { formatValue } from "./words";

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

const DUST = 1e-6; // of a column, which a pixel that only touches its edge does not show

/**
 * The worst norm of each band of layers in each pixel, one row of pixels per band; -1 where
 * nothing is.
 *
 * @param edges the step at the left edge of each pixel and, at the end, at the right one of the last
 */
export function pool(
  heatmap: Heatmap,
  bands: readonly (readonly string[])[],
  edges: Float64Array,
): Float32Array {
  const { layers, max } = heatmap;
  const width = edges.length - 1;
  const number = new Map(layers.map((layer, index) => [layer, index]));
  const bandOf = new Int32Array(layers.length).fill(-1);
  bands.forEach((names, band) => {
    for (const name of names) bandOf[number.get(name) ?? -1] = band;
  });
  const pooled = new Float32Array(bands.length * width).fill(-1);
  for (let x = 0; x < width; x++) {
    const [from, to] = columnsAt(heatmap, edges, x);
    for (let column = from; column < to; column++) {
      const start = column * layers.length;
      for (let layer = 0; layer < layers.length; layer++) {
        const band = bandOf[layer] ?? -1;
        if (band < 0) continue;
        const norm = max[start + layer] ?? -1;
        const at = band * width + x;
        // A NaN that is found stays: nothing is above it.
        if (norm > (pooled[at] ?? -1) || Number.isNaN(norm)) pooled[at] = norm;
      }
    }
  }
  return pooled;
}

/** The columns that a pixel touches, from the first to before the last. */
function columnsAt(heatmap: Heatmap, edges: Float64Array, x: number): [number, number] {
  const { from, to, columns } = heatmap;
  const scale = columns / (to - from);
  const [left = 0, right = 0] = [edges[x], edges[x + 1]];
  if (right < from || left > to || !(left <= right)) return [0, 0];
  const first = Math.floor((left - from) * scale + DUST);
  const last = Math.max(first + 1, Math.ceil((right - from) * scale - DUST));
  return [Math.max(0, first), Math.min(columns, last)];
}

/** The worst norm of each layer in all columns. */
export function largest(heatmap: Heatmap): Map<string, number> {
  const { layers, columns, max } = heatmap;
  const found = layers.map(() => -1);
  for (let at = 0; at < columns * layers.length; at++) {
    const norm = max[at] ?? -1;
    const layer = at % layers.length;
    if (worse(norm, found[layer] ?? -1)) found[layer] = norm;
  }
  return new Map(layers.map((layer, index) => [layer, found[index] ?? -1]));
}

/** Steps at the edges of so many pixels, where `stepAt` tells the step at a place on the axis. */
export function pixelEdges(
  [from, to]: readonly [number, number],
  width: number,
  stepAt: (x: number) => Step,
): Float64Array {
  return Float64Array.from({ length: width + 1 }, (_, pixel) =>
    stepAt(from + ((to - from) * pixel) / width),
  );
}
