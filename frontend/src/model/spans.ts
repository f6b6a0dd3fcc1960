/** The notes of one clip. Clips follow the segments, which is how the server has them at hand. */

import type { Preset, Segment } from "./answers";
import { lastNotAfter } from "./timeline";

export type Span = {
  readonly firstNote: number;
  readonly notes: number;
  /** Another one means another sound. */
  readonly digest: string;
  /** More notes may come: a clip of this span is not the last word. */
  readonly open: boolean;
};

/** A clip lasts at most this long: a preset that plays layer by layer needs minutes for a segment. */
const MAX_SECONDS = 12;

/** The spans of a run, in order and without holes. */
export function spansOf(segments: readonly Segment[], preset: Preset): Span[] {
  const limit = Math.max(1, Math.floor((MAX_SECONDS * preset.sampleRate) / preset.hop));
  return segments.flatMap(({ firstNote, notes, digest, open }) => {
    const parts = Math.ceil(notes / limit);
    return Array.from({ length: parts }, (_, part) => {
      const from = Math.round((part * notes) / parts);
      const to = Math.round(((part + 1) * notes) / parts);
      const last = part === parts - 1;
      return { firstNote: firstNote + from, notes: to - from, digest, open: open && last };
    });
  });
}

/** The same spans of another source, which has its notes on the same grid. */
export function spansLike(spans: readonly Span[], segments: readonly Segment[]): Span[] {
  const starts = segments.map(({ firstNote }) => firstNote);
  return spans.map((span) => {
    const last = segments[lastNotAfter(starts, span.firstNote + span.notes - 1, starts.length)];
    return { ...span, digest: last?.digest ?? "" }; // says also what is before it
  });
}

export function spanAt(spans: readonly Span[], note: number): Span | undefined {
  const starts = spans.map((span) => span.firstNote);
  const span = spans[lastNotAfter(starts, note, starts.length)];
  return span !== undefined && note < span.firstNote + span.notes ? span : undefined;
}
