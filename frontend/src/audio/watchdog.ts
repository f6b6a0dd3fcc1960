/** Notices that sound should run and does not: contexts freeze, and some say "running" all the while. */

import type { SampleFrame } from "../units";

const STUCK_MS = 1_500; // a machine that trains a network may be late by less
const LOCKED_MS = 2_000; // a Bluetooth device may need a second to wake up

export class Watchdog {
  private frame: SampleFrame = -1;
  private since = 0;

  /** @param now `performance.now()` */
  reset(now: number): void {
    this.frame = -1;
    this.since = now;
  }

  /** To be asked again and again while something plays. */
  check(now: number, running: boolean, frame: SampleFrame): "fine" | "locked" | "stuck" {
    if (running && frame !== this.frame) {
      this.frame = frame;
      this.since = now;
    }
    const quiet = now - this.since;
    if (running) return quiet > STUCK_MS ? "stuck" : "fine";
    return quiet > LOCKED_MS ? "locked" : "fine";
  }
}
