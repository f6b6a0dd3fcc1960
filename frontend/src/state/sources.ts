/** What each side has to be heard: the norms of its run, or else the drawn scalar. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Coverage, Preset, Run } from "../model/answers";
import { settlePreset } from "../model/choices";
import { silentAmong } from "../model/desk";
import { sharedScale } from "../model/scale";
import { spansOf } from "../model/spans";
import { timelineOf } from "../model/timeline";
import type { View } from "../model/view";
import { clipQuery, soundQuery, viewQuery } from "../server/api";
import { coverageShelf } from "../server/data";
import { type Range, SIDES, type Side } from "../units";
import { chosenPreset, mutedStreams, soloedStreams, sound } from "./choices";
import {
  bySide,
  curves,
  lacksQuantity,
  partners,
  partnerTag,
  present,
  quantityOf,
  runOf,
  signalsOf,
  tag,
} from "./store";

/** The name of the drawn curve among the streams. */
export const CURVE = "curve";

/** The scale on which the drawn tag is heard, one for both runs. */
const scale = computed(() =>
  sharedScale(present(SIDES.flatMap((side) => [curves[side].value, partners[side].value]))),
);

/** The steps between which each row is a note, once it is known how these lie; null: nowhere. */
export const rowsApart = bySide(() => signal<Range | null>(null));

export const views = bySide((side) => computed(() => viewOf(side)));

/** What is known of a side's notes; until it is, what was known of the run when it sounded otherwise. */
export const coverages: Readonly<Record<Side, ReadonlySignal<Coverage | null>>> = bySide((side) => {
  let last: { run: string; coverage: Coverage } | null = null;
  return computed(() => {
    const view = views[side].value;
    const coverage = coverageOf(view);
    if (view !== null && coverage !== null) last = { run: view.run, coverage };
    return last !== null && last.run === view?.run ? last.coverage : null;
  });
});

/** What each side plays; null where it has no sound, or none yet. */
export const sources: Readonly<Record<Side, ReadonlySignal<Source | null>>> = bySide((side) =>
  computed(() => sourceOf(side)),
);

/** What keeps a side from being heard and seen; null where nothing does. */
export function coverageError(side: Side): string | null {
  const view = views[side].value;
  return view === null ? null : coverageShelf.get([viewQuery(view)]).error;
}

/** Whether the streams of the preset are those that can be silenced one by one. */
export const mutes = (preset: Preset, coverage: Coverage): boolean =>
  preset.takesZoom && preset.streams === coverage.streams.length && preset.streams > 1;

function viewOf(side: Side): View | null {
  const run = runOf(side);
  if (run === null) return null;
  const { together, speed } = sound.value;
  const plain = {
    run: run.name,
    quantity: quantityOf(side),
    along: null,
    rows: rowsApart[side].value,
    together,
    speed,
  };
  if (run.hasNorms) return { ...plain, scalar: null };
  const scalar = scalarOf(side);
  return scalar === null ? null : { ...plain, scalar };
}

/** The drawn curve of a side, to be heard; null where it has none. */
export function scalarOf(side: Side): View["scalar"] {
  const drawn = tag.value;
  if (drawn === null || scale.value === null) return null;
  if (!signalsOf(side)?.scalars.includes(drawn)) return null;
  return { tag: drawn, beside: partnerTag[side].value, scale: scale.value };
}

function sourceOf(side: Side): Source | null {
  const view = views[side].value;
  const coverage = coverageOf(view);
  const run = runOf(side);
  if (view === null || coverage === null || run === null || coverage.steps.length < 2) return null;
  if (lacksQuantity(side)) return null;
  const preset = settlePreset(coverage.presets, chosenPreset.value);
  if (preset === null) return null;
  return {
    ...soundingOf(view, run, preset, coverage),
    timeline: timelineOf(coverage, preset),
    spans: spansOf(coverage.segments, preset),
  };
}

/** All of a source but where its notes lie: what is asked of the server, and for which run. */
export function soundingOf(
  view: View,
  { name, startTime }: Run,
  preset: Preset,
  coverage: Coverage,
): Omit<Source, "timeline" | "spans"> {
  const settings = preset.takesZoom ? soundQuery(sound.value, silentOf(preset, coverage)) : "";
  const query = viewQuery(view);
  return {
    view: query,
    sound: clipQuery(query, preset.name, settings),
    run: name,
    startTime,
    preset,
  };
}

/** The streams that are not heard, by number. */
function silentOf(preset: Preset, coverage: Coverage): number[] {
  if (!mutes(preset, coverage)) return [];
  const names = coverage.streams.map(({ name }) => name);
  const silent = silentAmong(names, mutedStreams.value, soloedStreams.value);
  return silent.map((name) => names.indexOf(name));
}

export const coverageOf = (view: View | null): Coverage | null =>
  view === null ? null : coverageShelf.get([viewQuery(view)]).value;
