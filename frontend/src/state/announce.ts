/** The status line: one polite live region. What it said of what happened by itself is in a log. */

import { signal } from "@preact/signals";
import { type Entry, isSaid, logged, type News, type Verbosity } from "../model/news";

const SETTLE_MS = 150; // while an arrow key is held, only where it ends is said
const PLAYING_MS = 1_000; // speech covers the sound

export class Announcer {
  readonly text = signal("");
  readonly log = signal<readonly Entry[]>([]);
  /** Whether something waits to be said until no more comes. */
  settling = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private spoken = Number.NEGATIVE_INFINITY;

  /** @param verbosity how much is said of what happens by itself */
  constructor(private readonly verbosity: () => Verbosity) {}

  /** Say at once: an answer to what a person did. */
  say(text: string): void {
    clearTimeout(this.timer);
    this.settling = false;
    this.spoken = performance.now();
    // A live region is silent when its text does not change; the space makes it speak again.
    this.text.value = text === this.text.peek() ? `${text}\u00a0` : text;
  }

  /** Say when no more comes for a moment: for what keys repeat. */
  settle(text: () => string): void {
    clearTimeout(this.timer);
    this.settling = true;
    this.timer = setTimeout(() => this.say(text()), SETTLE_MS);
  }

  /** Tell of what happened by itself: at most once a second, the latest wins. */
  tell(news: News, text: string): void {
    if (news !== "progress") this.keep(text);
    if (!isSaid(news, this.verbosity())) return;
    clearTimeout(this.timer);
    this.settling = false;
    const wait = Math.max(0, this.spoken + PLAYING_MS - performance.now());
    if (wait === 0) this.say(text);
    else this.timer = setTimeout(() => this.say(text), wait);
  }

  /** Put into the log, in silence. */
  keep(text: string): void {
    this.log.value = logged(this.log.peek(), text);
  }
}
