/** Clips as decoded samples: loaded, cached, asked for once. */

import { signal } from "@preact/signals";
import type { Preset } from "../model/answers";
import type { Span, Timeline } from "../model/notes";
import { decodeSound } from "./wav";

export class Cache<Value> {
  private readonly entries = new Map<string, { value: Value; bytes: number }>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key); // a map keeps the order of insertion: put it at the young end
    this.entries.set(key, entry);
    return entry.value;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  set(key: string, value: Value, bytes: number): void {
    this.drop(key);
    this.entries.set(key, { value, bytes });
    this.bytes += bytes;
    for (const old of this.entries.keys()) {
      if (this.bytes <= this.maxBytes || old === key) break;
      this.drop(old);
    }
  }

  private drop(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes;
  }
}

/** Notes of a run with one sound: all that is needed to play them. */
export type Source = {
  /** What the server is asked for: the notes, and how they sound. */
  readonly view: string;
  readonly sound: string;
  readonly run: string;
  /** Tells a run from an earlier one that was written under the same name. */
  readonly startTime: number | null;
  readonly preset: Preset;
  readonly timeline: Timeline;
  readonly spans: readonly Span[];
};

export type Wanted = { readonly source: Source; readonly span: Span };

export type FetchClip = (wanted: Wanted, signal: AbortSignal) => Promise<ArrayBuffer>;

const CACHE_BYTES = 64 * 1024 * 1024;
const AT_ONCE = 2; // the browser has six connections to the server, and TensorBoard needs some

export class Clips {
  /** Counts what is asked for and what comes, for those who show which clips are here. */
  readonly changes = signal(0);
  private readonly cache = new Cache<AudioBuffer>(CACHE_BYTES);
  private readonly loading = new Map<string, AbortController>();
  private readonly failures = new Map<string, Error>();
  private wanted: readonly Wanted[] = [];

  constructor(
    private readonly fetchClip: FetchClip,
    private readonly onArrival: () => void,
  ) {}

  get(wanted: Wanted): AudioBuffer | undefined {
    return this.cache.get(keyOf(wanted));
  }

  has(wanted: Wanted): boolean {
    return this.cache.has(keyOf(wanted));
  }

  stateOf(wanted: Wanted): "here" | "loading" | "away" {
    const key = keyOf(wanted);
    if (this.cache.has(key)) return "here";
    return this.loading.has(key) ? "loading" : "away";
  }

  /** Why one of some clips could not be loaded; null where nothing is wrong. */
  failureOf(wanted: readonly Wanted[]): Error | null {
    const failures = wanted.map((each) => this.failures.get(keyOf(each)));
    return failures.find((failure) => failure !== undefined) ?? null;
  }

  /** Load these, the most urgent first, and stop loading anything else. */
  want(wanted: readonly Wanted[]): void {
    this.wanted = wanted;
    const keys = new Set(wanted.map(keyOf));
    for (const [key, controller] of this.loading) {
      if (!keys.has(key)) controller.abort();
    }
    this.loadNext();
  }

  /** Ask again for what could not be loaded. */
  retry(): void {
    this.failures.clear();
    this.loadNext();
  }

  private loadNext(): void {
    for (const wanted of this.wanted) {
      const key = keyOf(wanted);
      if (this.loading.size >= AT_ONCE) return;
      if (this.cache.has(key) || this.loading.has(key) || this.failures.has(key)) continue;
      void this.load(wanted, key);
    }
  }

  private async load(wanted: Wanted, key: string): Promise<void> {
    const controller = new AbortController();
    this.loading.set(key, controller);
    this.changes.value += 1;
    try {
      const clip = await decode(await this.fetchClip(wanted, controller.signal), wanted);
      this.cache.set(key, clip, clip.length * clip.numberOfChannels * 4);
      this.onArrival();
    } catch (error) {
      if (!controller.signal.aborted) {
        this.failures.set(key, error instanceof Error ? error : new Error(String(error)));
      }
    } finally {
      this.loading.delete(key);
      this.changes.value += 1;
      this.loadNext();
    }
  }
}

function keyOf({ source, span }: Wanted): string {
  return JSON.stringify([source.sound, source.startTime, span.firstNote, span.notes, span.digest]);
}

async function decode(data: ArrayBuffer, { source, span }: Wanted): Promise<AudioBuffer> {
  const { hop, tail } = source.preset;
  const { sampleRate, channels } = await decodeSound(data, source.preset.sampleRate);
  const frames = channels[0]?.length ?? 0;
  if (sampleRate !== source.preset.sampleRate || frames !== span.notes * hop + tail) {
    throw new Error(
      `the clip of ${span.notes} notes must have ${span.notes * hop + tail} frames at ` +
        `${source.preset.sampleRate} Hz, got ${frames} at ${sampleRate} Hz`,
    );
  }
  const clip = new AudioBuffer({ length: frames, numberOfChannels: channels.length, sampleRate });
  channels.forEach((samples, channel) => {
    clip.copyToChannel(samples, channel);
  });
  return clip;
}
