/** One source of sound: a clip with gain and pan, faded in and out. */

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
