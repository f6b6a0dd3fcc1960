/** Whether runs that break are told by a sound and a notification, too. */

import { computed, signal } from "@preact/signals";
import { recall, remember } from "./remember";

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
