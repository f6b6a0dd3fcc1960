/** Earcons of the alarm, in a context of their own: they sound also while all else is silent. */

import type { Seconds } from "../units";

export type AlarmSound = "problem" | "stalled" | "ended";

/** The two tones of each stroke, in Hz, and when the strokes begin. */
const SOUNDS: Readonly<
  Record<AlarmSound, { readonly tones: readonly number[]; readonly at: readonly Seconds[] }>
> = {
  problem: { tones: [622, 659], at: [0, 0.25, 0.5] }, // a semitone clashes, as NaN does
  stalled: { tones: [110, 165], at: [0, 0.4] },
  ended: { tones: [880, 1320], at: [0] },
};

const LOUD = 0.12; // of full scale, for each tone
const FADE: Seconds = 0.01;
const STROKE: Seconds = 0.22;

export class AlarmBell {
  private context: AudioContext | null = null;

  /** Call inside a gesture, before it is to sound. */
  unlock(): void {
    this.context ??= new AudioContext();
    if (this.context.state !== "running") this.context.resume().catch(() => {});
  }

  get ready(): boolean {
    return this.context?.state === "running";
  }

  ring(sound: AlarmSound): void {
    const { context } = this;
    if (context === null) return;
    const { tones, at } = SOUNDS[sound];
    for (const after of at) {
      const start = context.currentTime + FADE + after;
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(LOUD, start + FADE);
      gain.gain.linearRampToValueAtTime(0, start + STROKE);
      gain.connect(context.destination);
      for (const frequency of tones) {
        const tone = new OscillatorNode(context, { frequency });
        tone.connect(gain);
        tone.start(start);
        tone.stop(start + STROKE);
        tone.onended = () => gain.disconnect();
      }
    }
  }
}
