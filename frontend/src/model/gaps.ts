/** Where a run is not a number. */

import type { Range } from "../units";
import type { Heatmap } from "./answers";

/** The stretches of steps in which some layer is NaN, as far as the columns of a heat-map tell. */
export function nanRanges({ columns, from, to, layers, max }: Heatmap): Range[] {
  const width = (to - from) / columns;
  const ranges: [number, number][] = [];
  for (let column = 0; column < columns; column++) {
    const first = column * layers.length;
    let isNan = false;
    for (let at = first; at < first + layers.length && !isNan; at++) isNan = Number.isNaN(max[at]);
    if (!isNan) continue;
    const [start, end] = [from + column * width, from + (column + 1) * width];
    const last = ranges.at(-1);
    if (last !== undefined && last[1] >= start - width / 2) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}
