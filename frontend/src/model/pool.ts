/** Which norm a pixel shows: the worst of all that it touches, never a mean. */

import type { Step } from "../units";
import type { Heatmap } from "./answers";
import { worse } from "./heatmap";

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
