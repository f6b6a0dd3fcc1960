/** Plays one or two runs from any step, and knows what is at the ear. */

import { signal } from "@preact/signals";
import { firstStepOf, lastStepOf, stepAtFrame } from "../model/notes";
import type { Range, SampleFrame, Step } from "../units";
import { Clips, type FetchClip } from "./clips";
import { type Fade, raisedCosine } from "./output";
import {
  type Anchor,
  type Course,
  frameIn,
  isOver,
  loopIn,
  type Passage,
  type Position,
  positionAt,
  type Transport,
  type Way,
} from "./schedule";
import {
  crossfade,
  goesOn,
  isReady,
  leadOf,
  type PlayerEvents,
  type PlayerSources,
  passageOf,
  type Score,
  stepAfter,
  turned,
  wantedAt,
  wantedAtStep,
  wantedBy,
  wantedNext,
} from "./score";
import { Stage } from "./voices";

const TICK_MS = 100;
const BEGIN = raisedCosine(0.004);
const END = raisedCosine(0.008);

export class Player {
  readonly transport = signal<Transport>({ state: "paused", step: 0 });
  /** The position for everything that does not move with every picture: ten times a second. */
  readonly shown = signal<Position>({ side: null, step: 0, frame: 0, waiting: false });
  readonly clips: Clips;
  /** Whether to wait at the end of the run for more of it. */
  live = false;
  /** The step from which was played last. */
  origin: Step = 0;
  readonly stage: Stage;
  /** What is to be heard instead, as soon as its clips are here. */
  private next: Score | null = null;
  private loop: Range | null = null;
  private reported: Anchor | null = null;
  private timer = 0;

  constructor(
    fetchClip: FetchClip,
    private readonly sources: PlayerSources,
    private readonly events: PlayerEvents,
  ) {
    this.clips = new Clips(fetchClip, () => {
      this.turn();
      this.pump();
      this.stage.onArrival();
    });
    this.stage = new Stage(this.clips, () => this.halt("interrupted"));
  }

  /** Be ready for a score, so that the first gesture need not wait for an audio context. */
  prepare(score: Score): void {
    if (this.transport.peek().state === "playing") return;
    this.stage.engine.prepare(leadOf(score).preset.sampleRate);
  }

  /**
   * Play from a frame of the lead; in the loop, if there is one.
   *
   * Call inside a gesture: the browser allows sound only there.
   */
  play(frame: SampleFrame, course: Partial<Course> = {}): void {
    const score = this.sources.score();
    if (score === null || leadOf(score).timeline.notes === 0) return;
    this.hush(this.stage.engine.soon(), END);
    this.stage.engine.prepare(leadOf(score).preset.sampleRate);
    this.stage.engine.unlock();
    this.clips.retry();
    this.origin = stepAtFrame(leadOf(score).timeline, frame);
    this.loop = this.sources.loop();
    const loop = loopIn(leadOf(score).timeline, this.loop);
    const anchor = { at: this.stage.engine.soon(), frame };
    this.begin(score, { anchor, course: { direction: 1, loop, length: null, ...course } }, BEGIN);
  }

  /** Rest at a step: where the ear is, unless told otherwise. */
  rest(step: Step = this.position().step): void {
    window.clearInterval(this.timer);
    this.hush(this.stage.engine.now(), END);
    this.transport.value = { state: "paused", step };
    this.shown.value = this.position();
  }

  /** What is at the ear. */
  position(): Position {
    return positionAt(this.transport.peek(), this.stage.engine.heard());
  }

  /** What is at the ear, and what follows from it: to be called as often as it is shown. */
  follow(): Position {
    const transport = this.transport.peek();
    const heard = this.stage.engine.heard();
    const position = positionAt(transport, heard);
    if (transport.state === "paused" || heard < transport.passage.anchor.at) return position;
    const { passage } = transport;
    this.report(passage, heard);
    if (isOver(passage, heard - passage.anchor.at)) this.finish(passage);
    return position;
  }

  /** What is to be heard has changed: it has grown, is to sound otherwise, or is something else. */
  refresh(): void {
    const transport = this.transport.peek();
    const { ensemble } = this.stage;
    if (transport.state === "paused" || ensemble === null) return;
    const score = this.sources.score();
    this.next = null;
    if (score === null) return; // what is gone is played to its end
    if (!goesOn(ensemble.score, score) || this.loop !== this.sources.loop()) {
      this.next = score;
      this.turn();
    } else if (ensemble.score !== score) {
      ensemble.score = score;
      this.set({ ...transport.passage, timeline: leadOf(score).timeline }, transport.before);
      this.pump();
    }
  }

  /** The peaks of the last moment, left and right, from 0 to 1. */
  levels(): readonly [number, number] {
    return this.stage.engine.levels();
  }

  /** Load what will be needed soonest. */
  prefetch(step: Step): void {
    const wanted = wantedBy(this.sources, step);
    const transport = this.transport.peek();
    const { ensemble } = this.stage;
    const following =
      transport.state === "playing" && ensemble !== null
        ? wantedNext(ensemble.score, transport.passage)
        : [];
    this.clips.want([...wanted, ...following]);
  }

  /** Turn to what is next, once it is here; until then what sounds goes on. */
  private turn(): void {
    const transport = this.transport.peek();
    const { next } = this;
    const { ensemble, engine } = this.stage;
    if (transport.state === "paused" || ensemble === null || next === null) return;
    const { passage } = transport;
    const { timeline, preset } = leadOf(next);
    const at = engine.soon();
    const step = this.sources.across(stepAfter(passage, at), passage.side, next.side);
    if (step > lastStepOf(timeline)) {
      this.rest(step);
      this.events.ended(next.side);
      return;
    }
    const wish = this.sources.loop();
    const way = turned(passage, timeline, { at, step }, wish, wish !== this.loop);
    if (preset.sampleRate !== engine.sampleRate) {
      this.loop = wish;
      this.hush(at, END);
      engine.prepare(preset.sampleRate); // a context of its own, so without a crossfade
      engine.unlock();
      this.begin(next, { ...way, anchor: { ...way.anchor, at: engine.soon() } }, BEGIN);
      return;
    }
    if (!isReady(next, passageOf(next, way), this.clips)) return;
    const fade = crossfade(passage, next);
    this.loop = wish;
    this.hush(at, fade);
    this.begin(next, way, fade, passage);
  }

  private begin(score: Score, way: Way, entry: Fade, before: Passage | null = null): void {
    this.next = null;
    this.stage.enter(score, entry);
    // Sound first: those who follow the transport take their time to draw.
    const passage = this.stage.pump(passageOf(score, way));
    this.set(passage, passage.anchor === way.anchor ? before : null);
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
    const { ensemble } = this.stage;
    if (transport.state === "paused" || ensemble === null) return;
    this.shown.value = position;
    this.prefetch(position.step);
    this.turn();
    this.pump();
    const failure = this.failure(position.waiting);
    const health = this.stage.health();
    if (failure !== null) this.halt(failure);
    else if (health !== "fine") this.halt(health === "locked" ? "locked" : "interrupted");
    if (health === "stuck") this.stage.engine.close(); // it does not run again
  }

  private pump(): void {
    const transport = this.transport.peek();
    if (transport.state === "paused") return;
    const { passage, before } = transport;
    const reached = this.stage.pump(passage);
    const waited = reached.anchor !== passage.anchor;
    if (reached !== passage) this.set(reached, waited ? null : before);
  }

  private report(passage: Passage, heard: SampleFrame): void {
    if (passage.started === 0 || this.reported === passage.anchor) return;
    this.reported = passage.anchor;
    const { sampleRate } = this.stage.engine;
    const since = (heard - passage.anchor.at) / sampleRate;
    this.events.sounding(passage, sampleRate, performance.now() / 1000 - since);
  }

  /** Why what is due, or what is to be turned to, cannot be had. */
  private failure(waiting: boolean): Error | null {
    const transport = this.transport.peek();
    const { next } = this;
    const { ensemble } = this.stage;
    if (transport.state === "paused" || ensemble === null) return null;
    const { passage } = transport;
    const due = waiting ? wantedAt(ensemble.score, frameIn(passage, passage.started)) : [];
    const awaited = next === null ? [] : wantedAtStep(next, this.shown.peek().step);
    return this.clips.failureOf([...due, ...awaited]);
  }

  /** All of a passage has been heard. */
  private finish({ course, side, timeline }: Passage): void {
    if (course.length !== null) {
      this.rest(this.origin);
      return;
    }
    if (course.direction === 1 && this.live) return;
    this.rest(course.direction === 1 ? lastStepOf(timeline) : firstStepOf(timeline));
    this.events.ended(side);
  }

  private hush(at: SampleFrame, fade: Fade): void {
    this.stage.clear(at, fade);
    this.next = null;
  }

  private halt(why: "locked" | "interrupted" | Error): void {
    if (this.transport.peek().state === "paused") return;
    this.rest();
    this.events.stopped(why);
  }
}
