/** Who sounds, and how loud: the ensemble that plays, or the single note that is heard at rest. */

import type { SampleFrame, Seconds } from "../units";
import type { Clips } from "./clips";
import { Engine } from "./engine";
import { Ensemble, levelIn, type Mix } from "./ensemble";
import type { Fade } from "./fade";
import { wantedAt } from "./prefetch";
import { Preview } from "./preview";
import { startDue } from "./pump";
import { leadOf, type Score } from "./score";
import type { Passage } from "./transport";
import { Watchdog } from "./watchdog";

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
