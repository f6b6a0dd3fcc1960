/** The audio context behind a few words: unlock, now, heard, voice, volume. */

import type { SampleFrame, Seconds } from "../units";
import { Clock } from "./clock";
import { type Level, Voice } from "./voice";

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
