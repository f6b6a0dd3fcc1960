/** The status line: one polite live region. What it said of what happened by itself is in a log. */

import { signal } from "@preact/signals";
import {
  type Entry,
  isSaid,
  logged,
  PASSING,
  type Topic,
  type Verbosity,
} from "../model/landmarks";

const SETTLE_MS = 150; // while an arrow key is held, only where it ends is said
const PLAYING_MS = 1_000; // speech covers the sound
const MOST_CHARACTERS = 240; // said at once; the rest, a second later

type Waiting = { readonly topic: Topic; readonly text: string };

export class Announcer {
  readonly text = signal("");
  readonly log = signal<readonly Entry[]>([]);
  /** Whether something waits to be said until no more comes. */
  settling = false;
  private settled: ReturnType<typeof setTimeout> | undefined;
  private next: ReturnType<typeof setTimeout> | undefined;
  private waiting: readonly Waiting[] = [];
  private spoken = Number.NEGATIVE_INFINITY;

  /** @param verbosity how much is said of what happens by itself */
  constructor(private readonly verbosity: () => Verbosity) {}

  /** Say at once: an answer to what a person did. */
  say(text: string): void {
    clearTimeout(this.settled);
    this.settling = false;
    this.spoken = performance.now();
    // A live region is silent when its text does not change; the space makes it speak again.
    this.text.value = text === this.text.peek() ? `${text}\u00a0` : text;
    if (this.waiting.length > 0) this.sayLater(PLAYING_MS);
  }

  /** Say when no more comes for a moment: for what keys repeat. */
  settle(text: () => string): void {
    clearTimeout(this.settled);
    this.settling = true;
    this.settled = setTimeout(() => this.say(text()), SETTLE_MS);
  }

  /** Tell of what happened by itself: at most once a second, then all that has come by then. */
  tell(topic: Topic, text: string): void {
    if (topic !== "progress" && topic !== "newest") this.keep(text);
    if (!isSaid(topic, this.verbosity())) return;
    const others = this.waiting.filter((each) => each.topic !== topic || !PASSING.includes(topic));
    this.waiting = [...others, { topic, text }];
    this.sayLater(Math.max(0, this.spoken + PLAYING_MS - performance.now()));
  }

  /** Put into the log, in silence. */
  keep(text: string): void {
    this.log.value = logged(this.log.peek(), text);
  }

  private sayLater(milliseconds: number): void {
    clearTimeout(this.next);
    if (milliseconds === 0) this.sayWaiting();
    else this.next = setTimeout(() => this.sayWaiting(), milliseconds);
  }

  private sayWaiting(): void {
    let length = 0;
    const fitting = this.waiting.findIndex(({ text }, at) => {
      length += text.length + 2;
      return at > 0 && length > MOST_CHARACTERS;
    });
    const count = fitting === -1 ? this.waiting.length : fitting;
    const said = this.waiting.slice(0, count).map(({ text }) => text);
    this.waiting = this.waiting.slice(count);
    this.say(said.join("; "));
  }
}
