/** How loud each run is, and where, by what is chosen at the desk. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Mix } from "../audio/ensemble";
import type { Level } from "../audio/voice";
import { silentAmong } from "../model/desk";
import type { Side } from "../units";
import { gains, listening, mutedRuns, pans, soloed } from "./choices";
import { score } from "./scores";
import { runOf, sides } from "./store";
import { making } from "./streams";

const APART = 0.8; // of the way to the left and right, where both runs are heard at once

/** What each track is given. */
export const mix: ReadonlySignal<Mix> = computed(() => {
  const tracks = score.value?.tracks ?? [];
  const atOnce = listening.value === "blink" ? tracks.filter(({ side }) => side === "a") : tracks;
  // Together they are never louder than one that may be as loud as can be.
  const share = 1 / Math.max(atOnce.length, 1);
  return new Map(
    tracks.map(({ name, side }) => {
      const { gain, pan } = levelOf(side);
      return [name, { gain: makesWay(name, side) ? 0 : share * gain, pan }];
    }),
  );
});

/** Whether a run is not to be heard: it is muted, or another one is alone. */
export function silenced(side: Side): boolean {
  const chosen = [sides.value.a ?? "", sides.value.b ?? ""];
  return silentAmong(chosen, mutedRuns.value, soloed.value).includes(sides.value[side] ?? "");
}

/** Where a run is heard as long as nobody puts it somewhere: apart from the other one. */
export function ownPan(side: Side): number {
  if (listening.value !== "both") return 0;
  return side === "a" ? -APART : APART;
}

/** Whether a track is silent because the curve is heard alone, or the norms are. */
function makesWay(name: string, side: Side): boolean {
  const isCurve = name !== side || runOf(side)?.hasNorms === false;
  return isCurve ? making.value.curve : making.value.norms;
}

function levelOf(side: Side): Level {
  const run = sides.value[side] ?? "";
  return {
    gain: silenced(side) ? 0 : 10 ** ((gains.value.get(run) ?? 0) / 20),
    pan: pans.value.get(run) ?? ownPan(side),
  };
}
