/** What is heard together: the run in A or B, the other one laid on its notes, their curves. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Score, Track } from "../audio/score";
import type { Preset } from "../model/answers";
import { settlePreset } from "../model/choices";
import type { Measure } from "../model/ruler";
import { spansLike } from "../model/spans";
import type { Along, View } from "../model/view";
import { type Query, viewQuery } from "../server/api";
import { otherSide, SIDES, type Side } from "../units";
import { curveHeard, hearing, listening, measure } from "./choices";
import { coverageOf, coverages, scalarOf, soundingOf, sources, views } from "./sources";
import { lacksQuantity, runOf } from "./store";

/** How the run that is not the lead is laid on its notes; by the clock, two runs may never meet. */
const BY: Readonly<Record<Measure, Along["by"]>> = {
  step: "step",
  time: "time",
  clock: "step",
  share: "fraction",
};

/** The one preset in which a curve is heard. */
const OF_CURVES = "single";

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
  const own = SIDES.map((side) => views[side].value);
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

type Follower = { readonly name: string; readonly side: Side; readonly view: View };

/** What is to be heard beside the run of a side. */
function followers(lead: Side): Follower[] {
  const view = views[lead].value;
  if (view === null) return [];
  const along = { run: view.run, by: BY[measure.value], tag: view.scalar?.tag ?? null };
  const other = lacksQuantity(otherSide(lead)) ? null : views[otherSide(lead)].value;
  const laid =
    other === null || listening.value === "one" ? null : { ...other, along, rows: view.rows };
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
function laidOn(lead: Source, view: View, side: Side): Source | null {
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
