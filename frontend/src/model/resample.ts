/** A part of a heat-map in other columns, where there is no server to ask for it. */

import type { Heatmap } from "./answers";

/** These columns of these steps: each holds the worst of what lies in it. */
export function resampled(heatmap: Heatmap, from: number, to: number, columns: number): Heatmap {
  const size = heatmap.layers.length;
  const max = new Float32Array(columns * size).fill(-1);
  const width = (to - from) / columns;
  const had = (heatmap.to - heatmap.from) / heatmap.columns;
  for (let column = 0; column < columns; column++) {
    const start = (from + column * width - heatmap.from) / had;
    const first = Math.floor(start + 1e-6);
    const end = Math.max(Math.ceil(start + width / had - 1e-6), first + 1);
    for (let old = Math.max(first, 0); old < Math.min(end, heatmap.columns); old++) {
      for (let layer = 0; layer < size; layer++) {
        const norm = heatmap.max[old * size + layer] ?? -1;
        const at = column * size + layer;
        if (Number.isNaN(norm) || norm > (max[at] ?? -1)) max[at] = norm;
      }
    }
  }
  return { ...heatmap, from, to, columns, max };
}
