/** The voices of a score: they start, change and fall silent together. */

import type { SampleFrame, Seconds } from "../units";
import type { Clips } from "./clips";
import { equalPower, type Fade, raisedCosine } from "./fade";
import type { Cue } from "./plan";
import { clipsOf, leadOf, type Score } from "./score";
import type { Level, Voice } from "./voice";

/** How loud each track is, and where, by its name. */
export type Mix = ReadonlyMap<string, Level>;

const FULL: Level = { gain: 1, pan: 0 };
const BLINK_SECONDS: Seconds = 2;
const BLINK = equalPower(0.02);

export const levelIn = (mix: Mix, name: string): Level => mix.get(name) ?? FULL;

export class Ensemble {
  private readonly joint: Fade;
  /** How many times the runs have taken turns. */
  private turns = 0;

  /**
   * @param voices one for each track, in their order
   * @param entry how the first clips come in
   */
  constructor(
    public score: Score,
    private readonly voices: readonly Voice[],
    private readonly entry: Fade,
  ) {
    const { tail, sampleRate } = leadOf(score).preset;
    this.joint = raisedCosine(Math.max(tail, 1) / sampleRate);
    if (score.blink) this.each((voice, side) => side === score.side || voice.shut());
  }

  /** Start the clips of a cue, all or none; false where one of them is not here. */
  start(cue: Cue, first: boolean, clips: Clips): boolean {
    const found = clipsOf(this.score, cue.span).map((wanted) => clips.get(wanted));
    const here = found.filter((clip) => clip !== undefined);
    if (here.length < found.length) return false;
    // Clips fade into one another by themselves, but for those that are entered in their middle.
    const rise = first ? this.entry : cue.offset > 0 ? this.joint : null;
    const part = { offset: cue.offset, frames: cue.cut, rise, fall: this.joint };
    here.forEach((clip, number) => {
      this.voices[number]?.start(clip, cue.at, part);
    });
    return true;
  }

  /** Let the runs take turns up to frame `until` of the context; they began at `began`. */
  takeTurns(began: SampleFrame, until: SampleFrame): void {
    if (!this.score.blink) return;
    const period = BLINK_SECONDS * leadOf(this.score).preset.sampleRate;
    for (; began + (this.turns + 1) * period < until; this.turns++) {
      const lead = this.turns % 2 === 1;
      const at = began + (this.turns + 1) * period;
      this.each((voice, side) => voice.open((side === this.score.side) === lead, at, BLINK));
    }
  }

  set(mix: Mix): void {
    this.score.tracks.forEach(({ name }, number) => {
      this.voices[number]?.set(levelIn(mix, name));
    });
  }

  release(at: SampleFrame, fade: Fade): void {
    for (const voice of this.voices) voice.release(at, fade);
  }

  private each(change: (voice: Voice, side: string) => void): void {
    this.score.tracks.forEach(({ side }, number) => {
      const voice = this.voices[number];
      if (voice !== undefined) change(voice, side);
    });
  }
}
