/** What the person has chosen. What follows from it, and from the data, is in store.ts. */

import { signal } from "@preact/signals";
import type { Sides } from "./model/choices";
import { clamp } from "./model/timeline";
import { PLAIN, type Sound } from "./model/view";
import { recall } from "./remember";
import type { Range, Side } from "./units";

const QUIET = 0.5; // as a gain, a quarter: the first sound must not startle

export const chosenSides = signal<Sides>({ a: null, b: null });
export const hearing = signal<Side>("a");

export const chosenTag = signal<string | null>(null);
/** Whether the y axis is to be logarithmic; null: as the curves ask for. */
export const chosenLog = signal<boolean | null>(null);
/** The steps that are seen; null: all there are. */
export const viewport = signal<Range | null>(null);

export const chosenPreset = signal<string | null>(recall("preset"));
export const sound = signal<Sound>(PLAIN);
/** Streams that are not heard, by name. */
export const mutedStreams = signal<ReadonlySet<string>>(new Set());
export const volume = signal(clamp(Number(recall("volume") ?? QUIET) || 0, 0, 1));

/** What is open over the screen. */
export const dialog = signal<"help" | null>(null);
