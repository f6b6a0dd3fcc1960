/** How the dashboard is steered and what it says, kept between visits. */

import { computed, signal } from "@preact/signals";
import { boundBy, type KeyChoice, keymapOf, readKeyChoice } from "../model/keymap";
import { type Command, chordWords } from "../model/keys";
import { readVerbosity, VERBOSITIES, type Verbosity } from "../model/news";
import { clamp } from "../model/timeline";
import { mono } from "./choices";
import { recall, remember } from "./remember";

export const keyChoice = signal<KeyChoice>(readKeyChoice(recall("keys")));
export const bound = computed(() => boundBy(keyChoice.value));
export const keymap = computed(() => keymapOf(bound.value));

/** What is said by itself. */
export const verbosity = signal<Verbosity>(readVerbosity(recall("verbosity")));
/** Whether the sound gives way to speech. */
export const quieter = signal(recall("quieter") === "true");
/** How much later than the browser knows the sound is at the ear, in ms: of wireless headphones. */
export const DELAYS = [-200, 500] as const;
export const delay = signal(delayOf(Number(recall("delay"))));

export function chooseKeys(choice: KeyChoice): void {
  keyChoice.value = choice;
  remember("keys", JSON.stringify(choice));
}

export function chooseVerbosity(chosen: Verbosity): void {
  verbosity.value = chosen;
  remember("verbosity", chosen);
}

export function nextVerbosity(): Verbosity {
  const at = VERBOSITIES.indexOf(verbosity.value);
  return VERBOSITIES[(at + 1) % VERBOSITIES.length] ?? "events";
}

export function setQuieter(on: boolean): void {
  quieter.value = on;
  remember("quieter", String(on));
}

export function setMono(on: boolean): void {
  mono.value = on;
  remember("mono", String(on));
}

export function setDelay(milliseconds: number): void {
  delay.value = delayOf(milliseconds);
  remember("delay", String(delay.value));
}

/** The first key of a command, for a sentence; null where it has none. */
export function keyWords(command: Command): string | null {
  const [chord] = bound.value[command];
  return chord === undefined ? null : chordWords(chord);
}

function delayOf(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? clamp(Math.round(milliseconds), ...DELAYS) : 0;
}
