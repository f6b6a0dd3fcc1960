/** The alarm: a sound and a notification where a run breaks, stalls or ends. */

import { AlarmBell, type AlarmSound } from "../audio/alarm";
import { kindWords } from "../model/landmarks";
import type { Told } from "../model/watch";
import { announcer } from "../state/playing";
import { alarm, isMuted, muteUntil, muteWords, setAlarm } from "../state/watch";
import { goTo } from "./moving";

const MUTE_MS = 3_600_000;
const SOUND_OF: Readonly<Record<string, AlarmSound>> = {
  stalled: "stalled",
  gone: "stalled",
  ended: "ended",
};

const bell = new AlarmBell();

/** A browser lets it sound after a gesture only, which may come long after the page was opened. */
export function unlockAlarm(): void {
  if (alarm.peek() && !bell.ready) bell.unlock();
}

/** Turn the alarm on or off. Call inside a gesture: it asks for what the browser wants to be asked. */
export async function toggleAlarm(): Promise<void> {
  setAlarm(!alarm.peek());
  if (!alarm.peek()) {
    announcer.say("Alarm off");
    return;
  }
  muteUntil(0);
  bell.unlock();
  bell.ring("ended"); // so that it is known, and known to be heard
  announcer.say(`Alarm on: a sound${await notificationWords()} when a run breaks, stalls or ends`);
}

async function notificationWords(): Promise<string> {
  if (!("Notification" in window)) return "";
  const asked = Notification.permission;
  const answer = asked === "default" ? await Notification.requestPermission() : asked;
  return answer === "granted" ? " and a notification" : ", as the browser denies notifications,";
}

/** Silence the alarm for an hour, or no longer. */
export function toggleAlarmMute(): void {
  muteUntil(isMuted() ? 0 : Date.now() + MUTE_MS);
  announcer.say(`Alarm ${muteWords.peek() ?? "on again"}`);
}

/** Sound, and notify, what calls for somebody: the first is the worst. */
export function soundAlarm(told: readonly Told[]): void {
  const calls = told.filter(({ problem, kind }) => problem !== null || kind in SOUND_OF);
  const [first] = calls;
  if (first === undefined || !alarm.peek() || isMuted()) return;
  bell.ring(first.problem === null ? (SOUND_OF[first.kind] ?? "ended") : "problem");
  notify(first, calls);
}

function notify(first: Told, calls: readonly Told[]): void {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const more = calls.length > 1 ? ` and ${calls.length - 1} more` : "";
  const mark = first.problem === null ? "" : "⚠ ";
  try {
    const shown = new Notification(`${mark}${kindWords(first.kind)}, ${first.run}${more}`, {
      body: calls.map(({ text }) => text).join("\n"),
      tag: `sonify ${first.run} ${first.kind}`,
    });
    shown.onclick = () => {
      window.focus();
      if (first.problem !== null) goTo({ run: first.run, problem: first.problem });
    };
  } catch {
    // Some browsers notify by service workers only.
  }
}
