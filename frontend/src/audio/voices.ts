/** What sounds: the ensemble that plays, or a single note at rest; started just ahead of its time. */

import type { SampleFrame, Seconds } from "../units";
import type { Clips, Wanted } from "./clips";
import {
  Engine,
  equalPower,
  type Fade,
  type Level,
  raisedCosine,
  type Voice,
  Watchdog,
} from "./output";
import { type Cue, frameAfter, type Passage, plan } from "./schedule";
import { clipsOf, leadOf, type Score, wantedAt } from "./score";

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

/** The clock of an audio context, in its sample frames. */
export type ContextClock = {
  now(): SampleFrame;
  /** The first frame at which a start is sure to be in time. */
  soon(): SampleFrame;
};

/**
 * Start what is due before frame `until` of the context, as far as the clips are here.
 *
 * Where a clip comes too late to join on, the sound has waited for it: the passage gets a new
 * anchor, so that the playhead has waited too.
 */
export function startDue(
  passage: Passage,
  ensemble: Ensemble,
  clips: Clips,
  clock: ContextClock,
  until: SampleFrame,
): Passage {
  const { hop } = passage.timeline;
  const { spans } = leadOf(ensemble.score);
  const [cue, ...others] = plan(spans, hop, passage, passage.started, until);
  if (cue === undefined) return passage;
  if (cue.at < clock.now() && clipsOf(ensemble.score, cue.span).every((each) => clips.has(each))) {
    return startDue(postponed(passage, clock.soon()), ensemble, clips, clock, until);
  }
  let { started } = passage;
  for (const each of [cue, ...others]) {
    if (!ensemble.start(each, started === 0, clips)) break;
    started = each.next;
  }
  return started === passage.started ? passage : { ...passage, started };
}

/** What is left of a passage, from frame `at` of the context on. */
function postponed(passage: Passage, at: SampleFrame): Passage {
  const { course, started } = passage;
  const frame = frameAfter(passage, passage.timeline.hop, started);
  const length = course.length === null ? null : course.length - started;
  return { ...passage, anchor: { at, frame }, course: { ...course, length }, started: 0 };
}

const HORIZON_SECONDS: Seconds = 0.4;
const HIDDEN_HORIZON_SECONDS: Seconds = 2.5; // the timers of a hidden page run once a second

export class Stage {
  readonly engine: Engine;
  ensemble: Ensemble | null = null;
  private readonly preview: Preview;
  private readonly watchdog = new Watchdog();
  private mix: Mix = new Map();

  /** @param onInterrupted called where the browser or the device takes the sound away */
  constructor(
    private readonly clips: Clips,
    onInterrupted: () => void,
  ) {
    this.engine = new Engine(onInterrupted);
    this.preview = new Preview(this.engine, clips);
  }

  /** The name of the run that plays; null at rest. */
  playing(): string | null {
    return this.ensemble === null ? null : leadOf(this.ensemble.score).run;
  }

  setMix(mix: Mix): void {
    this.mix = mix;
    this.ensemble?.set(mix);
  }

  /** Have a score played by voices of its own, in place of those that play. */
  enter(score: Score, entry: Fade): void {
    const voices = score.tracks.map(({ name }) => this.engine.voice(levelIn(this.mix, name)));
    this.ensemble = new Ensemble(score, voices, entry);
    this.watchdog.reset(performance.now());
  }

  /** Let all that sounds fade out from frame `at` of the context on. */
  clear(at: SampleFrame, fade: Fade): void {
    this.ensemble?.release(at, fade);
    this.preview.hush(at);
    this.ensemble = null;
  }

  /** Start what is due; the passage as it is then. */
  pump(passage: Passage): Passage {
    const { ensemble, engine } = this;
    if (ensemble === null) return passage;
    const horizon = document.hidden ? HIDDEN_HORIZON_SECONDS : HORIZON_SECONDS;
    const until = engine.now() + Math.round(horizon * engine.sampleRate);
    const reached = startDue(passage, ensemble, this.clips, engine, until);
    ensemble.takeTurns(reached.anchor.at, until);
    return reached;
  }

  /** Whether what plays can be heard; to be asked again and again. */
  health(): ReturnType<Watchdog["check"]> {
    return this.watchdog.check(performance.now(), this.engine.running, this.engine.now());
  }

  /** Let a single note of the lead be heard. Call inside a gesture. */
  hearNote(score: Score | null, note: number): void {
    if (score === null) return;
    const [wanted] = wantedAt(score, note * leadOf(score).timeline.hop);
    const level = levelIn(this.mix, score.tracks[0].name);
    if (wanted !== undefined) this.preview.hear(wanted, note, level);
  }

  /** To be called when a clip has come. */
  onArrival(): void {
    this.preview.onArrival();
  }
}
