/** Plays one of two runs from any step, and knows what is at the ear. */

import { signal } from "@preact/signals";
import { spanAt } from "../model/spans";
import { endOf, frameAtStep, lastStepOf, noteAtFrame, stepAtFrame } from "../model/timeline";
import type { SampleFrame, Seconds, Side, Step } from "../units";
import { Clips, type FetchClip, type Source } from "./clips";
import { Engine } from "./engine";
import { equalPower, type Fade, raisedCosine } from "./fade";
import { type Anchor, frameAt } from "./plan";
import { wantedAt } from "./prefetch";
import { Preview } from "./preview";
import { type Sounding, startDue } from "./pump";
import { type Passage, type Position, positionAt, type Transport } from "./transport";
import { Watchdog } from "./watchdog";

export type PlayerEvents = {
  /** The run has been heard to its end. */
  readonly ended: (side: Side) => void;
  /** Playing had to stop: no sound without a gesture, the device is gone, a clip cannot be had. */
  readonly stopped: (why: "locked" | "interrupted" | Error) => void;
  /** A passage has reached the ear, at that time of `performance.now()`. */
  readonly sounding: (passage: Passage, sampleRate: number, at: Seconds) => void;
};

const TICK_MS = 100;
const HORIZON_SECONDS: Seconds = 0.4;
const HIDDEN_HORIZON_SECONDS: Seconds = 2.5; // the timers of a hidden page run once a second
const BEGIN = raisedCosine(0.004);
const END = raisedCosine(0.008);
const SWITCH = equalPower(0.02);

export class Player {
  readonly transport = signal<Transport>({ state: "paused", step: 0 });
  /** The position for everything that does not move with every picture: ten times a second. */
  readonly shown = signal<Position>({ step: 0, frame: 0, waiting: false });
  readonly clips: Clips;
  private readonly engine = new Engine(() => this.halt("interrupted"));
  private readonly watchdog = new Watchdog();
  private sounding: Sounding | null = null;
  private readonly preview: Preview;
  private reported: Anchor | null = null;
  private timer = 0;

  constructor(
    fetchClip: FetchClip,
    private readonly sourceOf: (side: Side) => Source | null,
    private readonly events: PlayerEvents,
  ) {
    this.clips = new Clips(fetchClip, () => {
      this.pump();
      this.preview.onArrival();
    });
    this.preview = new Preview(this.engine, this.clips);
  }

  /** Be ready for a source, so that the first gesture need not wait for an audio context. */
  prepare(source: Source): void {
    if (this.transport.peek().state === "paused") this.engine.prepare(source.preset.sampleRate);
  }

  setVolume(volume: number): void {
    this.engine.setVolume(volume);
  }

  /** Play from a frame of a run. Call inside a gesture: the browser allows sound only there. */
  play(side: Side, frame: SampleFrame): void {
    const source = this.sourceOf(side);
    if (source === null || source.timeline.notes === 0) return;
    this.hush(this.engine.soon(), END);
    this.engine.prepare(source.preset.sampleRate);
    this.engine.unlock();
    this.clips.retry();
    this.begin(side, source, { at: this.engine.soon(), frame }, BEGIN, null);
  }

  /** Rest at a step: where the ear is, unless told otherwise. */
  rest(step: Step = this.position().step): void {
    window.clearInterval(this.timer);
    this.hush(this.engine.now(), END);
    this.transport.value = { state: "paused", step };
    this.shown.value = this.position();
  }

  /** Go on with the other run at the same step. */
  switchTo(side: Side): void {
    const transport = this.transport.peek();
    if (transport.state === "paused") return;
    const { passage } = transport;
    const source = this.sourceOf(side);
    const at = this.engine.soon();
    const reached = frameAt(passage.anchor, Math.max(at, passage.anchor.at));
    const step = stepAtFrame(passage.timeline, Math.min(reached, passage.started));
    if (source === null || step > lastStepOf(source.timeline)) {
      this.rest(step);
      this.events.ended(side);
      return;
    }
    const frame = frameAtStep(source.timeline, step);
    if (source.preset.sampleRate !== this.engine.sampleRate) {
      this.play(side, frame); // in a context of its own, so without a crossfade
      return;
    }
    this.hush(at, SWITCH);
    this.begin(side, source, { at, frame }, SWITCH, passage);
  }

  /** Let a single note be heard, at rest. Call inside a gesture. */
  hearNote(side: Side, note: number): void {
    const source = this.sourceOf(side);
    const span = source === null ? undefined : spanAt(source.spans, note);
    if (source !== null && span !== undefined) this.preview.hear({ source, span }, note);
  }

  /** The name of the run that plays; null at rest. */
  playingRun(): string | null {
    return this.sounding?.source.run ?? null;
  }

  /** What is at the ear. */
  position(): Position {
    return positionAt(this.transport.peek(), this.engine.heard());
  }

  /** What is at the ear, and what follows from it: to be called as often as it is shown. */
  follow(): Position {
    const transport = this.transport.peek();
    const heard = this.engine.heard();
    const position = positionAt(transport, heard);
    if (transport.state === "paused" || heard < transport.passage.anchor.at) return position;
    const { passage } = transport;
    if (passage.started > passage.anchor.frame && this.reported !== passage.anchor) {
      this.reported = passage.anchor;
      const since = (heard - passage.anchor.at) / this.engine.sampleRate;
      this.events.sounding(passage, this.engine.sampleRate, performance.now() / 1000 - since);
    }
    if (position.frame >= endOf(passage.timeline)) {
      this.rest(lastStepOf(passage.timeline));
      this.events.ended(passage.side);
    }
    return position;
  }

  /** The sources have changed: a run has grown, or is to sound otherwise. */
  refresh(): void {
    const transport = this.transport.peek();
    const { sounding } = this;
    if (transport.state === "paused" || sounding === null) return;
    const { passage, before } = transport;
    const source = this.sourceOf(passage.side);
    if (source === null || source === sounding.source) return; // what is gone is played to its end
    if (goesOn(sounding.source, source)) {
      this.sounding = { ...sounding, source };
      this.set({ ...passage, timeline: source.timeline }, before);
      this.pump();
    } else {
      this.play(passage.side, frameAtStep(source.timeline, this.position().step));
    }
  }

  /** Load what will be needed soonest. */
  prefetch(side: Side, step: Step): void {
    const playing = this.sounding !== null;
    this.clips.want(wantedAt(this.sourceOf, side, step, playing));
  }

  private begin(
    side: Side,
    source: Source,
    anchor: Anchor,
    entry: Fade,
    before: Passage | null,
  ): void {
    const voice = this.engine.voice();
    if (voice === null) return;
    this.sounding = { source, voice, entry };
    this.watchdog.reset(performance.now());
    this.set({ side, timeline: source.timeline, anchor, started: anchor.frame }, before);
    this.tick();
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
  }

  private set(passage: Passage, before: Passage | null): void {
    this.transport.value = { state: "playing", passage, before };
  }

  private tick(): void {
    const position = this.follow();
    const transport = this.transport.peek();
    if (transport.state === "paused" || this.sounding === null) return;
    this.shown.value = position;
    const { passage } = transport;
    this.prefetch(passage.side, position.step);
    this.pump();
    const { source } = this.sounding;
    const span = spanAt(source.spans, noteAtFrame(source.timeline, passage.started));
    const failure = span === undefined ? null : this.clips.failure({ source, span });
    if (position.waiting && failure !== null) {
      this.halt(failure);
      return;
    }
    const now = performance.now();
    const health = this.watchdog.check(now, this.engine.running, this.engine.now());
    if (health === "fine") return;
    this.halt(health === "locked" ? "locked" : "interrupted");
    if (health === "stuck") this.engine.close();
  }

  private pump(): void {
    const transport = this.transport.peek();
    const { sounding, engine } = this;
    if (transport.state === "paused" || sounding === null) return;
    const { passage, before } = transport;
    const horizon = document.hidden ? HIDDEN_HORIZON_SECONDS : HORIZON_SECONDS;
    const until = engine.now() + Math.round(horizon * engine.sampleRate);
    const next = startDue(passage, sounding, this.clips, engine, until);
    const waited = next.anchor !== passage.anchor;
    if (next !== passage) this.set(next, waited ? null : before);
  }

  private hush(at: SampleFrame, fade: Fade): void {
    this.sounding?.voice.release(at, fade);
    this.preview.hush(at);
    this.sounding = null;
  }

  private halt(why: "locked" | "interrupted" | Error): void {
    if (this.transport.peek().state === "paused") return;
    this.rest();
    this.events.stopped(why);
  }
}

/** Whether the newer source has the same sound at the same frames, and maybe more of it. */
function goesOn(old: Source, newer: Source): boolean {
  return (
    old.sound === newer.sound &&
    old.startTime === newer.startTime &&
    old.preset.hop === newer.preset.hop
  );
}
