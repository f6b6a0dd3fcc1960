/** What sounds for one passage: its clips, and one gain through which they all fall silent. */

import type { SampleFrame } from "../units";
import { type Fade, falling } from "./fade";

export class Voice {
  private readonly output: GainNode;
  private readonly sources = new Set<AudioBufferSourceNode>();
  private over = false;

  constructor(
    private readonly context: AudioContext,
    destination: AudioNode,
  ) {
    this.output = new GainNode(context);
    this.output.connect(destination);
  }

  /** Start a clip at frame `at` of the context, leaving out its first `offset` frames. */
  start(clip: AudioBuffer, at: SampleFrame, offset: SampleFrame, rise: Fade | null): void {
    const { sampleRate } = this.context;
    const edge = new GainNode(this.context);
    if (rise !== null) edge.gain.setValueCurveAtTime(rise.curve, at / sampleRate, rise.seconds);
    this.add(clip, edge).start(at / sampleRate, offset / sampleRate);
  }

  /** Start only `frames` sample frames of a clip, with soft edges. */
  excerpt(
    clip: AudioBuffer,
    at: SampleFrame,
    offset: SampleFrame,
    frames: SampleFrame,
    edges: Fade,
  ) {
    const { sampleRate } = this.context;
    const end = (at + frames) / sampleRate;
    const edge = new GainNode(this.context);
    edge.gain.setValueCurveAtTime(edges.curve, at / sampleRate, edges.seconds);
    edge.gain.setValueCurveAtTime(falling(edges).curve, end, edges.seconds);
    const source = this.add(clip, edge);
    source.start(at / sampleRate, offset / sampleRate);
    source.stop(end + edges.seconds);
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
      if (this.over && this.sources.size === 0) this.output.disconnect();
    };
    this.sources.add(source);
    return source;
  }
}
