/** Staying at the end of a run that is being trained. */

import { calmOffered } from "../state/calm";
import { following, hearing } from "../state/choices";
import { announcer, isPlaying, player } from "../state/playing";
import { sources } from "../state/sources";
import type { Seconds } from "../units";
import { playLiveEnd } from "./transport";

const MOST_BEHIND: Seconds = 12;

/** To be run as an effect: skip what would be heard too late, where a run grows faster than it sounds. */
export function keepUp(): void {
  player.live = following.value;
  const source = sources[hearing.value].value;
  if (!following.value || source === null || !isPlaying()) return;
  const { timeline, preset } = source;
  const reached = player.shown.peek().frame;
  const behind = (timeline.notes * timeline.hop - reached) / preset.sampleRate;
  if (behind < MOST_BEHIND) return;
  playLiveEnd();
  announcer.tell("round", "Skipped to the live end");
}

/** To be run as an effect: what appears by itself is said. */
export function sayOffer(): void {
  if (calmOffered.value)
    announcer.tell("run", "Calm sound for a live run: offered below the controls");
}
