/** The status line: one polite live region. It speaks of what happened, never of time passing. */

import { signal } from "@preact/signals";

const SETTLE_MS = 150; // while an arrow key is held, only where it ends is said
const PLAYING_MS = 1_000; // speech covers the sound

export class Announcer {
  readonly text = signal("");
  private timer: ReturnType<typeof setTimeout> | undefined;
  private spoken = Number.NEGATIVE_INFINITY;

  /** Say at once. */
  say(text: string): void {
    clearTimeout(this.timer);
    this.spoken = performance.now();
    // A live region is silent when its text does not change; the space makes it speak again.
    this.text.value = text === this.text.value ? `${text}\u00a0` : text;
  }

  /** Say when no more comes for a moment: for what keys repeat. */
  settle(text: () => string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.say(text()), SETTLE_MS);
  }

  /** Say while something plays: at most once a second, the latest wins. */
  mention(text: string): void {
    clearTimeout(this.timer);
    const wait = Math.max(0, this.spoken + PLAYING_MS - performance.now());
    if (wait === 0) this.say(text);
    else this.timer = setTimeout(() => this.say(text), wait);
  }
}
