/** Lets single notes be heard while nothing plays, each as soon as its clip is here. */

import type { SampleFrame } from "../units";
import type { Clips, Wanted } from "./clips";
import type { Engine } from "./engine";
import { raisedCosine } from "./fade";
import type { Level, Voice } from "./voice";

const EDGE = raisedCosine(0.004);

export class Preview {
  private voice: Voice | null = null;
  private awaited: { wanted: Wanted; note: number; level: Level } | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly clips: Clips,
  ) {}

  /** Call inside a gesture. */
  hear(wanted: Wanted, note: number, level: Level): void {
    this.hush(this.engine.now());
    this.engine.prepare(wanted.source.preset.sampleRate);
    this.engine.unlock();
    this.awaited = { wanted, note, level };
    this.onArrival();
  }

  /** To be called when a clip has come. */
  onArrival(): void {
    if (this.awaited === null) return;
    const { wanted, note, level } = this.awaited;
    const clip = this.clips.get(wanted);
    if (clip === undefined) return;
    this.awaited = null;
    const { hop } = wanted.source.preset;
    const offset = (note - wanted.span.firstNote) * hop;
    this.voice = this.engine.voice(level);
    const part = { offset, frames: hop, rise: EDGE, fall: EDGE };
    this.voice.start(clip, this.engine.soon(), part);
  }

  hush(at: SampleFrame): void {
    this.voice?.release(at, EDGE);
    this.voice = null;
    this.awaited = null;
  }
}
