/** The mix: how loud each run is, and where; which streams are heard. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Level } from "../audio/output";
import type { Mix } from "../audio/voices";
import { settlePreset, silentAmong } from "../model/runs";
import { noServer } from "../server/site";
import type { Side } from "../units";
import {
  chosenPreset,
  curveHeard,
  gains,
  hearing,
  listening,
  mutedRuns,
  mutedStreams,
  pans,
  soloed,
  soloedStreams,
} from "./choices";
import { CURVE, canMute, coverages, curveSilence, score } from "./hearing";
import { runOf, sides } from "./runs";

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
  return isCurve ? yielding.value.curve : yielding.value.norms;
}

function levelOf(side: Side): Level {
  const run = sides.value[side] ?? "";
  return {
    gain: silenced(side) ? 0 : 10 ** ((gains.value.get(run) ?? 0) / 20),
    pan: pans.value.get(run) ?? ownPan(side),
  };
}

export type Streams = {
  /** The streams of layers, by name. */
  readonly names: readonly string[];
  /** Why they cannot be silenced one by one; null where they can. */
  readonly fixed: string | null;
  /** Why the curve cannot be heard beside them; null where it can. */
  readonly mute: string | null;
};

/** What there is to be heard of the run that is heard; null while that is not known. */
export const streams: ReadonlySignal<Streams | null> = computed(() => {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (coverage === null || preset === null) return null;
  const single = coverage.streams.length < 2;
  return {
    names: coverage.streams.map(({ name }) => name),
    fixed: canMute(preset, coverage)
      ? null
      : (noServer ??
        (single
          ? "There is one stream only."
          : `${preset.title} does not play the streams one by one.`)),
    mute: curveSilence.value,
  };
});

/** Whether the norms as a whole, and whether the curve, make way for what is heard alone. */
export const yielding: ReadonlySignal<{ readonly norms: boolean; readonly curve: boolean }> =
  computed(() => {
    const { names, fixed, mute } = streams.value ?? { names: [], fixed: null, mute: "" };
    const alone = soloedStreams.value;
    const norms = fixed === null && names.some((name) => alone.has(name));
    const curve = mute === null && curveHeard.value && alone.has(CURVE);
    return { norms: curve && !norms, curve: norms && !curve };
  });

/** Silence a stream, or have it back. */
export function toggleStream(name: string): void {
  if (name === CURVE) curveHeard.value = !curveHeard.value;
  else mutedStreams.value = toggled(mutedStreams.value, name);
}

/** Hear a stream alone, with others that are to be alone; or no longer. */
export function soloStream(name: string): void {
  soloedStreams.value = toggled(soloedStreams.value, name);
  if (name === CURVE && soloedStreams.value.has(CURVE)) curveHeard.value = true;
}

/** Whether a stream is not heard; a curve without norms is what is heard. */
export function isMuted(name: string): boolean {
  if (name !== CURVE) return mutedStreams.value.has(name);
  const beside = runOf(hearing.value)?.hasNorms === true;
  return beside && (!curveHeard.value || curveSilence.value !== null);
}

export function toggled(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const changed = new Set(set);
  if (!changed.delete(name)) changed.add(name);
  return changed;
}
