/** Which streams are heard: those of layers, by the server; and the drawn curve, a track of its own. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { settlePreset } from "../model/choices";
import { chosenPreset, curveHeard, hearing, mutedStreams, soloedStreams } from "./choices";
import { curveSilence } from "./scores";
import { CURVE, coverages, mutes } from "./sources";
import { runOf } from "./store";

export type Desk = {
  /** The streams of layers, by name. */
  readonly names: readonly string[];
  /** Why they cannot be silenced one by one; null where they can. */
  readonly fixed: string | null;
  /** Why the curve cannot be heard beside them; null where it can. */
  readonly mute: string | null;
};

/** What there is to be heard of the run that is heard; null while that is not known. */
export const streams: ReadonlySignal<Desk | null> = computed(() => {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (coverage === null || preset === null) return null;
  const single = coverage.streams.length < 2;
  return {
    names: coverage.streams.map(({ name }) => name),
    fixed: mutes(preset, coverage)
      ? null
      : single
        ? "There is one stream only."
        : `${preset.title} does not play the streams one by one.`,
    mute: curveSilence.value,
  };
});

/** Whether the norms as a whole, and whether the curve, make way for what is heard alone. */
export const making: ReadonlySignal<{ readonly norms: boolean; readonly curve: boolean }> =
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
