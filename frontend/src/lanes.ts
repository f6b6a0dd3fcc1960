/** What is asked for to fill the lanes of layers. */

import { axis, stepsSeenOf } from "./axes";
import { heatmapKey } from "./data";
import { runOf } from "./store";
import type { Side } from "./units";

/** The part of a run that is seen; null where it has no norms, or is not laid out yet. */
export function heatmapKeyOf(side: Side): ReturnType<typeof heatmapKey> {
  const run = runOf(side);
  if (axis.value === null || !run?.hasNorms) return null;
  const [from, to] = stepsSeenOf(side);
  return heatmapKey(run.name, { ...axis.value, from, to });
}
