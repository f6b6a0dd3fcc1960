/** How all runs are since the page was opened, and by what somebody is told. */

import { computed, signal } from "@preact/signals";
import { alarmTitle, type Watch, worstOf } from "../model/watch";
import type { Step } from "../units";
import { chosenPreset, following, hearing, recall, remember } from "./choices";
import { coverages } from "./hearing";
import { sides } from "./runs";

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

/** Off unless somebody has asked for it: it sounds while nobody looks. */
export const alarm = signal(recall("alarm") === "true");

/** Until when it is silent, in ms since the epoch; 0: it is not. */
export const mutedUntil = signal(Number(recall("alarmMutedUntil")) || 0);

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short", hourCycle: "h23" });

/** "muted until 14:05"; null where it sounds. */
export const muteWords = computed(() =>
  isMuted() ? `muted until ${time.format(mutedUntil.value)}` : null,
);

export const isMuted = (): boolean => Date.now() < mutedUntil.value;

export function setAlarm(on: boolean): void {
  alarm.value = on;
  remember("alarm", String(on));
}

export function muteUntil(when: number): void {
  mutedUntil.value = when;
  remember("alarmMutedUntil", String(when));
}

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
