/** How loud each run is, and where, by what is chosen at the desk. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Mix } from "./audio/ensemble";
import type { Level } from "./audio/voice";
import { gains, listening, mutedRuns, pans, soloed } from "./choices";
import { score } from "./scores";
import { sides } from "./store";
import type { Side } from "./units";

const APART = 0.8; // of the way to the left and right, where both runs are heard at once

/** What each track is given. */
export const mix: ReadonlySignal<Mix> = computed(() => {
  const tracks = score.value?.tracks ?? [];
  const atOnce = listening.value === "blink" ? tracks.filter(({ side }) => side === "a") : tracks;
  // Together they are never louder than one that may be as loud as can be.
  const share = 1 / Math.max(atOnce.length, 1);
  return new Map(
    tracks.map(({ name, side }) => [name, { ...levelOf(side), gain: share * levelOf(side).gain }]),
  );
});

/** Whether a run is not to be heard: it is muted, or another one is alone. */
export function silenced(side: Side): boolean {
  const run = sides.value[side] ?? "";
  const alone = [sides.value.a, sides.value.b].some((each) => soloed.value.has(each ?? ""));
  return mutedRuns.value.has(run) || (alone && !soloed.value.has(run));
}

function levelOf(side: Side): Level {
  const run = sides.value[side] ?? "";
  const apart = listening.value === "both" ? (side === "a" ? -APART : APART) : 0;
  return {
    gain: silenced(side) ? 0 : 10 ** ((gains.value.get(run) ?? 0) / 20),
    pan: pans.value.get(run) ?? apart,
  };
}
