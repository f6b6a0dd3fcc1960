/** Setters of what is chosen; what changes for the ear is said. */

import { chosenLog, chosenPreset, chosenSides, mutedStreams, sound, volume } from "./choices";
import { spokenName } from "./model/format";
import type { PitchZoom } from "./model/view";
import { announcer } from "./playing";
import { remember } from "./remember";
import { sides } from "./store";
import type { Side } from "./units";

export function setVolume(share: number): void {
  volume.value = share;
  remember("volume", String(share));
}

export function choosePreset(name: string): void {
  chosenPreset.value = name;
  remember("preset", name);
}

export function setLog(log: boolean): void {
  chosenLog.value = log;
}

export function chooseRun(side: Side, run: string): void {
  chosenSides.value = { ...sides.value, [side]: run };
  announcer.say(`${side.toUpperCase()} is now ${spokenName(run)}`);
}

/** Notes per second; null: as the preset has it. */
export function chooseSpeed(speed: number | null): void {
  sound.value = { ...sound.value, speed };
}

export function chooseTogether(together: number): void {
  sound.value = { ...sound.value, together };
  announcer.say(together === 1 ? "Every note is heard" : `${together} notes are one`);
}

export function choosePitchZoom(zoom: PitchZoom): void {
  sound.value = { ...sound.value, zoom };
  announcer.say(`Pitch zoom ${zoom}: ${zoom} semitones for twice the norm`);
}

export function toggleReference(): void {
  sound.value = { ...sound.value, reference: !sound.value.reference };
}

/** Silence a stream, or have it back. */
export function toggleStream(name: string): void {
  const muted = new Set(mutedStreams.value);
  if (!muted.delete(name)) muted.add(name);
  mutedStreams.value = muted;
}
