/** Which runs are being trained, as far as it can be told from what is seen of them. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { grown, isLive, type Memory } from "../model/growth";
import { summaries } from "./shown";
import { tag } from "./store";

export type Growth = { readonly live: boolean; readonly wentBack: boolean };

/** Milliseconds since the page was opened, as of the last tick: so a run may cease to be live. */
const now = signal(performance.now());

/** To be called every few seconds. */
export function tick(): void {
  now.value = performance.now();
}

/** What was seen of each run since the page was opened, or another curve was chosen. */
let memories = new Map<string, Memory>();
let remembered: string | null = null;

/** Whether each run is growing, and whether it ever went back to an earlier step. */
export const growth: ReadonlySignal<ReadonlyMap<string, Growth>> = computed(() => {
  if (remembered !== tag.value) memories = new Map();
  remembered = tag.value;
  const all = [...(summaries.value ?? [])].map(([run, summary]) => {
    const memory = grown(memories.get(run), summary, now.value);
    memories.set(run, memory);
    return [run, { live: isLive(memory, now.value), wentBack: memory.wentBack }] as const;
  });
  return new Map(all);
});
