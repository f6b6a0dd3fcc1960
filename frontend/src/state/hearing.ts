/** What is heard: of each side the norms or the drawn scalar, and both as one score. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Score, Track } from "../audio/score";
import {
  type Alignment,
  type Coverage,
  type NotesQuery,
  type Preset,
  type Run,
  SPEEDS,
} from "../model/answers";
import type { Measure } from "../model/axis";
import { sharedScale } from "../model/curve";
import { heardHeightOf } from "../model/layers";
import { spansLike, spansOf, timelineOf } from "../model/notes";
import { settlePreset, silentAmong } from "../model/runs";
import { clipQuery, holdsNotes, type Query, soundQuery, viewQuery } from "../server/api";
import { noServer } from "../server/site";
import { otherSide, type Range, SIDES, type Side } from "../units";
import {
  chosenPreset,
  curveHeard,
  hearing,
  listening,
  measure,
  mutedStreams,
  soloedStreams,
  sound,
} from "./choices";
import { coverageResource } from "./data";
import {
  bySide,
  curves,
  lacksQuantity,
  nonNull,
  partners,
  partnerTag,
  quantityOf,
  runOf,
  scalarsOf,
  tag,
} from "./runs";

/** The name of the drawn curve among the streams. */
export const CURVE = "curve";

/** The scale on which the drawn tag is heard, one for both runs. */
const scale = computed(() =>
  sharedScale(nonNull(SIDES.flatMap((side) => [curves[side].value, partners[side].value]))),
);

/** The steps between which each row is a note, once it is known how these lie; null: nowhere. */
export const rowByRow = bySide(() => signal<Range | null>(null));

export const noteQueries = bySide((side) => computed(() => noteQueryOf(side)));

/** What is known of a side's notes; until it is, what was known of the run when it sounded otherwise. */
export const coverages: Readonly<Record<Side, ReadonlySignal<Coverage | null>>> = bySide((side) => {
  let last: { run: string; coverage: Coverage } | null = null;
  return computed(() => {
    const view = noteQueries[side].value;
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
  const view = noteQueries[side].value;
  return view === null ? null : coverageResource.get([viewQuery(view)]).error;
}

/** Whether the streams of the preset are those that can be silenced one by one. */
export const canMute = (preset: Preset, coverage: Coverage): boolean =>
  noServer === null &&
  preset.takesZoom &&
  preset.streams === coverage.streams.length &&
  preset.streams > 1;

function noteQueryOf(side: Side): NotesQuery | null {
  const run = runOf(side);
  if (run === null) return null;
  const { together, speed } = sound.value;
  const plain = {
    run: run.name,
    quantity: quantityOf(side),
    along: null,
    rows: rowByRow[side].value,
    together,
    speed,
  };
  if (run.hasNorms) return { ...plain, scalar: null };
  const scalar = scalarOf(side);
  return scalar === null ? null : { ...plain, scalar };
}

/** The drawn curve of a side, to be heard; null where it has none. */
export function scalarOf(side: Side): NotesQuery["scalar"] {
  const drawn = tag.value;
  if (drawn === null || scale.value === null) return null;
  if (!scalarsOf(side)?.scalars.includes(drawn)) return null;
  return { tag: drawn, beside: partnerTag[side].value, scale: scale.value };
}

function sourceOf(side: Side): Source | null {
  const view = noteQueries[side].value;
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
  view: NotesQuery,
  { name, startTime }: Run,
  preset: Preset,
  coverage: Coverage,
): Omit<Source, "timeline" | "spans"> {
  const settings = preset.takesZoom ? soundQuery(sound.value, silentStreams(preset, coverage)) : "";
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
export function silentStreams(preset: Preset, coverage: Coverage): number[] {
  if (!canMute(preset, coverage)) return [];
  const names = coverage.streams.map(({ name }) => name);
  const silent = silentAmong(names, mutedStreams.value, soloedStreams.value);
  return silent.map((name) => names.indexOf(name));
}

export const coverageOf = (view: NotesQuery | null): Coverage | null =>
  view === null ? null : coverageResource.get([viewQuery(view)]).value;

/** How the run that is not the lead is laid on its notes; by the clock, two runs may never meet. */
const BY: Readonly<Record<Measure, Alignment["by"]>> = {
  step: "step",
  time: "time",
  clock: "step",
  share: "fraction",
};

/** The one preset in which a curve is heard. */
const OF_CURVES = "single";

/** Why A and B cannot be heard together; null where they can. */
export function bothSilence(): string | null {
  const [a, b] = SIDES.map((side) => noteQueries[side].value);
  if (!a || !b) return null;
  return holdsNotes({ ...b, along: alongOf(a) }) ? null : noServer;
}

const alongOf = ({ run, scalar }: NotesQuery): Alignment => ({
  run,
  by: BY[measure.value],
  tag: scalar?.tag ?? null,
});

/** How fast it can be heard, in notes per second. */
export function speedsOf(side: Side): readonly (number | null)[] {
  const view = noteQueries[side].value;
  return view === null ? [null] : SPEEDS.filter((speed) => holdsNotes({ ...view, speed }));
}

/** What is to be heard; null where there is nothing, or nothing yet. */
export const score: ReadonlySignal<Score | null> = computed(() => scoreOf(hearing.value));

/** What would be heard if the other run were. */
export const otherScore: ReadonlySignal<Score | null> = computed(() =>
  listening.value === "one" ? scoreOf(otherSide(hearing.value)) : null,
);

/** What a side plays, and whose steps its notes lie on: those of the lead, where it is laid on them. */
export function playedOf(side: Side): { readonly source: Source; readonly on: Side } | null {
  const track = score.value?.tracks.find(({ name }) => name === side);
  if (score.value !== null && track !== undefined)
    return { source: track.source, on: score.value.side };
  const source = sources[side].value;
  return source === null ? null : { source, on: side };
}

/** Why the drawn curve cannot be heard beside the norms; null where it can. */
export const curveSilence: ReadonlySignal<string | null> = computed(() => {
  const side = hearing.value;
  if (runOf(side)?.hasNorms !== true || scalarOf(side) === null)
    return "Only a run with norms and this curve has both to be heard.";
  const preset = sources[side].value?.preset;
  const ofCurve = coverages[side].value?.presets.find(({ name }) => name === OF_CURVES);
  if (preset === undefined || ofCurve === undefined || inTime(preset, ofCurve)) return null;
  return `${preset.title} has a beat of its own: the curve is heard beside other sounds only.`;
});

/** The coverages that are needed for what is heard and seen. */
export function coverageKeys(): (readonly [Query])[] {
  const own = SIDES.map((side) => noteQueries[side].value);
  const all = [...own, ...followers(hearing.value).map(({ view }) => view)];
  return all.flatMap((view) => (view === null ? [] : [[viewQuery(view)] as const]));
}

function scoreOf(side: Side): Score | null {
  const lead = sources[side].value;
  if (lead === null) return null;
  const others = followers(side).flatMap(({ name, side, view }): Track[] => {
    const source = laidOn(lead, view, side);
    return source === null ? [] : [{ name, side, source }];
  });
  const both = others.some((track) => track.side !== side);
  return {
    side,
    tracks: [{ name: side, side, source: lead }, ...others],
    blink: both && listening.value === "blink",
  };
}

type Follower = { readonly name: string; readonly side: Side; readonly view: NotesQuery };

/** What is to be heard beside the run of a side. */
function followers(lead: Side): Follower[] {
  const view = noteQueries[lead].value;
  if (view === null) return [];
  const other = lacksQuantity(otherSide(lead)) ? null : noteQueries[otherSide(lead)].value;
  const laid =
    other === null || listening.value === "one"
      ? null
      : { ...other, along: alongOf(view), rows: view.rows };
  const heard: Follower[] =
    laid === null ? [] : [{ name: otherSide(lead), side: otherSide(lead), view: laid }];
  if (!curveHeard.value) return heard;
  const withCurve = [{ side: lead, view }, ...heard].flatMap(({ side, view }) => {
    const scalar = view.scalar === null ? scalarOf(side) : null;
    return scalar === null ? [] : [{ name: `${side} curve`, side, view: { ...view, scalar } }];
  });
  return [...heard, ...withCurve];
}

/** A view on the notes of another source; null while its notes are not known, or where it cannot be. */
function laidOn(lead: Source, view: NotesQuery, side: Side): Source | null {
  const coverage = coverageOf(view);
  const run = runOf(side);
  if (coverage === null || run === null) return null;
  const preset = settlePreset(coverage.presets, lead.preset.name);
  if (preset === null || !inTime(preset, lead.preset)) return null;
  // A run that grows is known in parts for a moment.
  if (coverage.steps.length !== lead.timeline.steps.length) return null;
  const spans = spansLike(lead.spans, coverage.segments);
  return { ...soundingOf(view, run, preset, coverage), timeline: lead.timeline, spans };
}

/** Whether clips of two presets can be played together, note by note. */
const inTime = (one: Preset, other: Preset): boolean =>
  one.hop === other.hop && one.sampleRate === other.sampleRate && one.tail === other.tail;

/** Height of the lane that shows what is heard of a side, in pixels. */
export function heardHeight(side: Side): number {
  const preset = sources[side].value?.preset;
  const groups = coverages[side].value?.streams.length;
  const usual = runOf(side)?.hasNorms === false ? 1 : 3;
  return heardHeightOf(preset?.takesZoom === false ? 1 : (groups ?? usual));
}
