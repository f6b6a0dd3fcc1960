/** Which runs are being trained, as far as it can be told from what is seen of them. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Summary } from "../model/answers";
import { summaries } from "./shown";
import { tag } from "./store";

const FRESH_MS = 120_000; // for runs whose clock is not that of the server

export type Growth = { readonly live: boolean; readonly wentBack: boolean };

type Memory = { readonly last: Summary; readonly grownAt: number; readonly wentBack: boolean };

/** What was seen of each run since the page was opened, or another curve was chosen. */
let memories = new Map<string, Memory>();
let remembered: string | null = null;

/** Whether each run is growing, and whether it ever went back to an earlier step. */
export const growth: ReadonlySignal<ReadonlyMap<string, Growth>> = computed(() => {
  if (remembered !== tag.value) memories = new Map();
  remembered = tag.value;
  const now = performance.now();
  const all = [...(summaries.value ?? [])].map(([run, summary]) => {
    const memory = grown(memories.get(run), summary, now);
    memories.set(run, memory);
    const live = !summary.ended && (summary.recent || now - memory.grownAt < FRESH_MS);
    return [run, { live, wentBack: memory.wentBack }] as const;
  });
  return new Map(all);
});

function grown(before: Memory | undefined, last: Summary, now: number): Memory {
  if (before === undefined) {
    return { last, grownAt: Number.NEGATIVE_INFINITY, wentBack: false };
  }
  const moved = last.lastStep !== before.last.lastStep;
  return {
    last,
    grownAt: moved ? now : before.grownAt,
    wentBack: before.wentBack || last.lastStep < before.last.lastStep,
  };
}
