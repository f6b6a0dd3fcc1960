/** The audio device: context, clock, volume, and the watch over a context that stands still. */

import type { SampleFrame, Seconds } from "../units";
import { type Level, Voice } from "./voice";

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

const LEAD_SECONDS: Seconds = 0.005;
const SMOOTHING_SECONDS: Seconds = 0.01;
const DIP = 0.25; // of the amplitude: 12 dB
const DIP_SECONDS: Seconds = 0.6;

export class Engine {
  private context: AudioContext | null = null;
  private master: GainNode | null = null;
  /** Below full while something is said. */
  private room: GainNode | null = null;
  private readonly clock = new Clock();
  private volume = 0;
  private mono = false;
  private delay: Seconds = 0;

  /** @param onInterrupted called where the browser or the device takes the sound away */
  constructor(private readonly onInterrupted: () => void) {}

  /** Have a context of that rate. Making one takes 40 to 80 ms, so do it before it is needed. */
  prepare(sampleRate: number): void {
    if (this.context?.sampleRate === sampleRate) return;
    this.close();
    const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
    context.onstatechange = () => {
      this.clock.reset();
      if (context === this.context && context.state !== "running") this.onInterrupted();
    };
    this.context = context;
    this.master = new GainNode(context, { gain: this.volume ** 2, channelCountMode: "explicit" });
    this.master.channelCount = this.mono ? 1 : 2;
    this.room = new GainNode(context);
    this.master.connect(this.room).connect(context.destination);
  }

  /** Call inside a gesture, and do not wait: sound can be started while the context wakes up. */
  unlock(): void {
    // Refused without a gesture; `running` tells, and the screen says what to do.
    if (this.context?.state !== "running") this.context?.resume().catch(() => {});
  }

  get running(): boolean {
    return this.context?.state === "running";
  }

  get sampleRate(): number {
    return this.context?.sampleRate ?? 0;
  }

  /** The frame that the context has got to. */
  now(): SampleFrame {
    return Math.round((this.context?.currentTime ?? 0) * this.sampleRate);
  }

  /** The first frame at which a start is sure to be in time. */
  soon(): SampleFrame {
    return this.now() + Math.ceil(LEAD_SECONDS * this.sampleRate);
  }

  /** The frame that is at the ear, which is some tens of milliseconds behind `now`. */
  heard(): SampleFrame {
    const { context } = this;
    if (context === null) return 0;
    const stamp = context.getOutputTimestamp();
    const heard = this.clock.heard({
      now: performance.now() / 1000,
      currentTime: context.currentTime,
      latency: context.outputLatency || context.baseLatency || 0,
      stamp: {
        contextTime: stamp.contextTime ?? 0,
        performanceTime: (stamp.performanceTime ?? 0) / 1000,
      },
    });
    return (heard - this.delay) * context.sampleRate;
  }

  /** A voice in the context that was prepared. */
  voice(level: Level): Voice {
    const { context, master } = this;
    if (context === null || master === null) throw new Error("prepare the engine before a voice");
    return new Voice(context, master, level);
  }

  /**
   * @param volume from 0 to 1, by ear: half is a quarter of the amplitude
   * @param mono whether left and right are to be the same
   * @param delay how much later than the browser knows the sound is at the ear
   */
  setOutput(volume: number, mono: boolean, delay: Seconds): void {
    this.volume = volume;
    this.mono = mono;
    this.delay = delay;
    const { context, master } = this;
    if (context === null || master === null) return;
    master.channelCount = mono ? 1 : 2;
    master.gain.setTargetAtTime(volume ** 2, context.currentTime, SMOOTHING_SECONDS);
  }

  /** Be quieter for a moment, so that speech is heard. */
  dip(): void {
    const { context, room } = this;
    if (context === null || room === null) return;
    const { currentTime } = context;
    room.gain.cancelScheduledValues(currentTime);
    room.gain.setTargetAtTime(DIP, currentTime, SMOOTHING_SECONDS);
    room.gain.setTargetAtTime(1, currentTime + DIP_SECONDS, 5 * SMOOTHING_SECONDS);
  }

  /** Give the context up; the next `prepare` makes a new one. */
  close(): void {
    const { context } = this;
    this.context = null;
    this.master = null;
    this.room = null;
    this.clock.reset();
    void context?.close();
  }
}
