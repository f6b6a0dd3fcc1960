/** How all runs are, as far as it was seen since the page was opened. */

import { computed, signal } from "@preact/signals";
import { alarmTitle, type Watch, worstOf } from "../model/watch";
import type { Step } from "../units";

/** Null until the server has answered for the first time. */
export const watched = signal<Watch | null>(null);

/** The worst problem of each run that has any, the worst run first. */
export const problems = computed(() => worstOf(watched.value ?? new Map()));

/** What is wrong with runs that broke or stalled since then, for a title. */
export const title = computed(() => alarmTitle(watched.value ?? new Map()));

/** By run. */
const told = new Map<string, Set<string>>();

/** Whether something in a run has been told since the page was opened; from now on it has. */
export function isTold(run: string, kind: string, step: Step): boolean {
  const once = kind === "nan" || kind === "inf";
  const key = once ? kind : `${kind} ${step}`;
  const all = told.get(run) ?? new Set();
  const before = all.has(key);
  told.set(run, all.add(key));
  return before;
}

/** A run has begun anew: what happens in it is news. */
export function forgetTold(run: string): void {
  told.delete(run);
}
