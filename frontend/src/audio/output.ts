/** The audio device: context, clock, volume, the voices that are connected to it, and the watch over it. */

import type { SampleFrame, Seconds } from "../units";

/** How loud a track is, and where. */
export type Level = {
  /** 1: as it was rendered. */
  readonly gain: number;
  /** From -1, left, to 1, right. */
  readonly pan: number;
};

/** Which frames of a clip are played, and their edges; null: as they are in the clip. */
export type Part = {
  readonly offset: SampleFrame;
  /** How many frames; null: to the end. */
  readonly frames: SampleFrame | null;
  readonly rise: Fade | null;
  readonly fall: Fade;
};

const SMOOTHING_SECONDS: Seconds = 0.01;

export class Voice {
  private readonly output: GainNode;
  private readonly gate: GainNode;
  private readonly fader: GainNode;
  private readonly panner: StereoPannerNode;
  private readonly sources = new Set<AudioBufferSourceNode>();
  private over = false;

  constructor(
    private readonly context: BaseAudioContext,
    destination: AudioNode,
    level: Level,
  ) {
    this.output = new GainNode(context);
    this.gate = new GainNode(context);
    this.fader = new GainNode(context, { gain: level.gain });
    this.panner = new StereoPannerNode(context, { pan: level.pan });
    this.output.connect(this.gate).connect(this.fader).connect(this.panner).connect(destination);
  }

  /** Start a part of a clip at frame `at` of the context; it fades out after its last frame. */
  start(clip: AudioBuffer, at: SampleFrame, { offset, frames, rise, fall }: Part): void {
    const { sampleRate } = this.context;
    // Silent before the rise, which by rounding may begin a frame after the clip does.
    const edge = new GainNode(this.context, { gain: rise === null ? 1 : 0 });
    if (rise !== null) edge.gain.setValueCurveAtTime(rise.curve, at / sampleRate, rise.seconds);
    const source = this.add(clip, edge);
    source.start(at / sampleRate, offset / sampleRate);
    if (frames === null) return;
    const end = (at + frames) / sampleRate;
    edge.gain.setValueCurveAtTime(falling(fall).curve, end, fall.seconds);
    source.stop(end + fall.seconds);
  }

  /** Change level and place, too slowly to click and too fast to wait for. */
  set({ gain, pan }: Level): void {
    const { currentTime } = this.context;
    this.fader.gain.setTargetAtTime(gain, currentTime, SMOOTHING_SECONDS);
    this.panner.pan.setTargetAtTime(pan, currentTime, SMOOTHING_SECONDS);
  }

  /** Be silent from the beginning, until the gate is opened. */
  shut(): void {
    this.gate.gain.value = 0;
  }

  /** Let sound through from frame `at` on, or no longer. */
  open(open: boolean, at: SampleFrame, fade: Fade): void {
    const { curve, seconds } = open ? fade : falling(fade);
    this.gate.gain.setValueCurveAtTime(curve, at / this.context.sampleRate, seconds);
  }

  /** Fade out from frame `at` on; nothing of this voice is heard afterwards. */
  release(at: SampleFrame, fade: Fade): void {
    if (this.over) return;
    this.over = true;
    const begin = Math.max(at / this.context.sampleRate, this.context.currentTime);
    this.output.gain.setValueCurveAtTime(falling(fade).curve, begin, fade.seconds);
    for (const source of this.sources) source.stop(begin + fade.seconds);
  }

  private add(clip: AudioBuffer, edge: GainNode): AudioBufferSourceNode {
    const source = new AudioBufferSourceNode(this.context, { buffer: clip });
    source.connect(edge).connect(this.output);
    source.onended = () => {
      edge.disconnect();
      this.sources.delete(source);
      if (this.over && this.sources.size === 0) this.panner.disconnect();
    };
    this.sources.add(source);
    return source;
  }
}

export type Fade = {
  readonly seconds: Seconds;
  /** Gain at equal distances in time. */
  readonly curve: Float32Array<ArrayBuffer>;
};

const POINTS = 33;

/** Two of these, one rising and one falling, sum to one. */
export const raisedCosine = (seconds: Seconds): Fade =>
  shape(seconds, (x) => Math.sin((x * Math.PI) / 2) ** 2);

/** Two of these, one rising and one falling, keep the power of two different sounds. */
export const equalPower = (seconds: Seconds): Fade =>
  shape(seconds, (x) => Math.sin((x * Math.PI) / 2));

/** The same fade, downwards. */
export const falling = (fade: Fade): Fade => ({ ...fade, curve: fade.curve.slice().reverse() });

function shape(seconds: Seconds, gain: (x: number) => number): Fade {
  const curve = new Float32Array(POINTS);
  for (let point = 0; point < POINTS; point++) curve[point] = gain(point / (POINTS - 1));
  return { seconds, curve };
}

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

const METER_FRAMES = 2_048; // the peaks of so many are shown
// For the script between reading the clock and starting a source; what starts at `currentTime`
// itself is late in 1 of 600 starts, as the audio thread is then computing that quantum.
const LEAD_SECONDS: Seconds = 0.002;
const DIP = 0.25; // of the amplitude: 12 dB
const DIP_SECONDS: Seconds = 0.6;

export class Engine {
  private context: AudioContext | null = null;
  private master: GainNode | null = null;
  /** Below full while something is said. */
  private room: GainNode | null = null;
  /** What goes to the left and to the right loudspeaker. */
  private meters: readonly AnalyserNode[] = [];
  private readonly samples = new Float32Array(METER_FRAMES);
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
    const sides = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    this.room.connect(sides);
    this.meters = [0, 1].map((side) => {
      const meter = new AnalyserNode(context, { fftSize: METER_FRAMES });
      sides.connect(meter, side);
      return meter;
    });
  }

  /** The peaks of the last moment, left and right, from 0 to 1. */
  levels(): readonly [number, number] {
    const [left = 0, right = 0] = this.meters.map((meter) => {
      meter.getFloatTimeDomainData(this.samples);
      return this.samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    });
    return [left, this.mono ? left : right];
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
    this.meters = [];
    this.clock.reset();
    void context?.close();
  }
}
