/** The calm sound, which is offered once: while a live run is followed, by who has another. */

import { computed, signal } from "@preact/signals";
import { chosenPreset, following, hearing } from "./choices";
import { recall, remember } from "./remember";
import { coverages } from "./sources";
import { sides } from "./store";
import { watched } from "./watch";

export const CALM = "calm";

const answered = signal(recall("calmAnswered") === "true");

export const calmOffered = computed(() => {
  if (!following.value || answered.value || chosenPreset.value === CALM) return false;
  const run = sides.value[hearing.value] ?? "";
  const presets = coverages[hearing.value].value?.presets ?? [];
  return watched.value?.get(run)?.state === "live" && presets.some(({ name }) => name === CALM);
});

export function answerCalm(): void {
  answered.value = true;
  remember("calmAnswered", "true");
}
