/** Which moment of the audio context is at the ear. Not its current time, which is ahead by the latency. */

import type { Seconds } from "../units";

/** One reading of the clocks of an audio context. */
export type Reading = {
  /** `performance.now()`, in seconds. */
  readonly now: Seconds;
  readonly currentTime: Seconds;
  /** Output latency, or the best guess. */
  readonly latency: Seconds;
  /** The context's output timestamp; both 0 before the first sound. */
  readonly stamp: { readonly contextTime: Seconds; readonly performanceTime: Seconds };
};

const MEMORY = 9;

/** The moment at the ear by a single reading, by the output timestamp where it is plausible. */
export function heardBy({ now, currentTime, latency, stamp }: Reading): Seconds {
  const heard = stamp.contextTime + (now - stamp.performanceTime);
  const plausible = heard >= currentTime - 0.6 && heard <= currentTime + 0.005;
  return stamp.performanceTime > 0 && plausible ? heard : currentTime - latency;
}

/** The moment at the ear, smoothed over readings, and never going back. */
export class Clock {
  private readonly offsets: Seconds[] = [];
  private last = 0;

  heard(reading: Reading): Seconds {
    this.offsets.push(heardBy(reading) - reading.now);
    if (this.offsets.length > MEMORY) this.offsets.shift();
    this.last = Math.max(this.last, median(this.offsets) + reading.now);
    return this.last;
  }

  /** Forget the readings: the context stood still in between. */
  reset(): void {
    this.offsets.length = 0;
    this.last = 0;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? 0;
}
