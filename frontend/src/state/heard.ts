/** What the heard lanes show: the numbers of what each side plays, where they lie, and how. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Heard, Valued } from "../model/heard";
import { noteAtStep } from "../model/notes";
import { heardQuery } from "../server/api";
import { SIDES, type Side } from "../units";
import { stepAt, xAt } from "./axis";
import { HEARD_COLUMNS, heardResource } from "./data";
import { coverages, noteQueries, playedOf, silentStreams } from "./hearing";
import { rested } from "./layers";
import { bySide, nonNull, quantityOf } from "./runs";

/** The numbers of a side, and the source whose notes they are of. */
export type HeardOfSide = {
  readonly run: string;
  readonly heard: Heard;
  readonly source: Source;
  /** The side whose steps the notes lie on. */
  readonly on: Side;
};

/** What is under the pointer, in words; null where it is on no heard lane. */
export const heardUnderPointer = signal<string | null>(null);

type Key = readonly [string, number, number, number];

/** What is to be asked for to fill the heard lanes. */
export const heardKeys = (): Key[] => nonNull(SIDES.map(keyOf));

const ALL = 1e15; // notes: more than any run has

function keyOf(side: Side): Key | null {
  const played = playedOf(side);
  if (played === null || played.source.timeline.notes === 0) return null;
  const [first, notes] = notesWanted(played);
  return [heardQuery(played.source.sound), first, notes, HEARD_COLUMNS];
}

/** All notes where each can be a column, else some around those that are seen at rest. */
function notesWanted({ source, on }: { source: Source; on: Side }): readonly [number, number] {
  const { timeline } = source;
  const place = rested.value?.axis ?? null;
  if (place === null || timeline.notes <= HEARD_COLUMNS) return [0, ALL];
  const [from, to] = [place.from, place.to].map((x) => noteAtStep(timeline, stepAt(on, x)));
  const [first, last] = [from ?? 0, (to ?? 0) + 1];
  const unit = 2 ** Math.floor(Math.log2(Math.max(last - first, 64)));
  const [start, end] = [Math.floor(first / unit) * unit, Math.ceil(last / unit) * unit];
  return start === 0 && end >= timeline.notes ? [0, ALL] : [start, end - start];
}

/** The numbers of each side; until those that are wanted come, the last of its run. */
export const heardOf: Readonly<Record<Side, ReadonlySignal<HeardOfSide | null>>> = bySide(
  (side) => {
    let last: HeardOfSide | null = null;
    return computed(() => {
      const key = keyOf(side);
      const played = playedOf(side);
      const run = noteQueries[side].value?.run ?? null;
      const heard = key === null ? null : heardResource.get(key).value;
      if (heard !== null && played !== null && run !== null) last = { run, heard, ...played };
      return last?.run === run ? last : null;
    });
  },
);

/** Places on the axis at which columns begin and, at the end, where the last one ends. */
export const columnEdges: Readonly<Record<Side, ReadonlySignal<Float64Array>>> = bySide((side) =>
  computed(() => {
    const shown = heardOf[side].value;
    if (shown === null) return new Float64Array();
    const { heard, source, on } = shown;
    const { steps, notes } = source.timeline;
    return Float64Array.from({ length: heard.columns + 1 }, (_, column) => {
      const note = Math.min(heard.firstNote + column * heard.notesPerColumn, notes);
      return xAt(on, steps[note] ?? 0);
    });
  }),
);

/** The streams of a side that are not heard, by number. */
export function mutedOf(side: Side): ReadonlySet<number> {
  const [shown, coverage] = [heardOf[side].value, coverages[side].value];
  return new Set(
    shown === null || coverage === null ? [] : silentStreams(shown.source.preset, coverage),
  );
}

export const valuedOf = (side: Side): Valued => ({
  quantity: quantityOf(side),
  scale: coverages[side].value?.scale ?? null,
});
