/** The list of runs: which are listed, how each fares, gain, pan, solo and mute. */

import { batch, computed, type ReadonlySignal } from "@preact/signals";
import type { Run } from "../model/answers";
import { bestOf, type State, searchOf, sharedPrefix, sorted, statesOf } from "../model/runs";
import { formatStep } from "../model/words";
import {
  chosenShown,
  chosenSides,
  gains,
  hearing,
  listening,
  mutedRuns,
  pans,
  rememberNumbers,
  searched,
  soloed,
  soloedStreams,
  sort,
} from "../state/choices";
import { curveResource, otherCurveResource } from "../state/data";
import { silenced, toggled } from "../state/mix";
import { announcer, isPlaying, landmarks } from "../state/playing";
import { lacksQuantity, nonNull, runs, shownRuns, sides, summaries, tag } from "../state/runs";
import { problems, watched } from "../state/watch";
import { SIDES, type Side } from "../units";

export const LEAST_GAIN = -24; // in dB
export const MOST_GAIN = 12;

export const search = computed(() => searchOf(searched.value));

/** What the names of all runs begin with; it is not shown in each. */
export const prefix = computed(() => sharedPrefix(runs.value.map(({ name }) => name)));

/** List the runs that have something in their names, and say how many. */
export function searchRuns(text: string): void {
  searched.value = text;
  announcer.settle(() => {
    const found = listed.value.length;
    return found === 1 ? "1 run" : `${formatStep(found)} runs`;
  });
}

/** The runs that are listed, in their order. */
export const listed: ReadonlySignal<readonly Run[]> = computed(() =>
  sorted(
    runs.value.filter(({ name }) => search.value.matches(name)),
    sort.value,
    summaries.value,
    tag.value ?? "",
    new Map(problems.value.map(({ run, problem }) => [run, problem])),
  ),
);

/** Runs that were chosen and are no longer there. */
export const gone: ReadonlySignal<readonly string[]> = computed(() => {
  if (runs.value.length === 0) return [];
  const chosen = new Set(nonNull(SIDES.map((side) => chosenSides.value[side])));
  return [...chosen].filter((name) => !runs.value.some((run) => run.name === name));
});

export const shown = computed(() => new Set(shownRuns.value));

const playing = computed(isPlaying);

export const sideOf = (run: string): Side | null =>
  SIDES.find((side) => sides.value[side] === run) ?? null;

/** How a run fares. */
export function statesOfRun({ name, hasNorms }: Run): State[] {
  const side = sideOf(name);
  const drawn = tag.value ?? "";
  const has = summaries.value?.has(name) === true;
  const shelf = side === null ? otherCurveResource : curveResource;
  const curve = has && shown.value.has(name) ? shelf.get([name, drawn]) : null;
  const own = side === null ? [] : landmarks.value.filter((event) => event.side === side);
  const seen = watched.value?.get(name);
  return statesOf({
    gone: false,
    failed: curve !== null && curve.error !== null,
    loading: curve !== null && curve.value === null && curve.error === null,
    summary: summaries.value?.get(name) ?? null,
    problem: seen?.last.problems?.[0] ?? null,
    playing: side === null ? null : heardOf(side),
    growth: seen?.state ?? null,
    restarted: seen?.wentBack === true || own.some(({ kind }) => kind === "restart"),
    hasNorms,
  });
}

function heardOf(side: Side): "playing" | "heard" | "silent" | null {
  if (listening.value === "one" && hearing.value !== side) return null;
  if (silenced(side) || lacksQuantity(side)) return "silent";
  return playing.value ? "playing" : "heard";
}

export function toggleShown(run: string): void {
  chosenShown.value = toggled(shown.value, run);
}

export function show(which: "best" | "all" | "none"): void {
  const all = listed.value.map(({ name }) => name);
  const best = bestOf(listed.value, summaries.value, tag.value ?? "");
  chosenShown.value = new Set({ best, all, none: [] }[which]);
  announcer.say(`${formatStep(shownRuns.value.length)} curves are shown`);
}

export function toggleSolo(run: string): void {
  soloed.value = toggled(soloed.value, run);
}

export function toggleMute(run: string): void {
  mutedRuns.value = toggled(mutedRuns.value, run);
}

/** Whether anything is heard alone. */
export const anyAlone = computed(() => soloed.value.size + soloedStreams.value.size > 0);

export function clearSolo(): void {
  batch(() => {
    soloed.value = new Set();
    soloedStreams.value = new Set();
  });
  announcer.say("All is heard again");
}

/** In dB; 0: as it is. */
export function setGain(run: string, gain: number): void {
  const changed = new Map(gains.value);
  changed.delete(run);
  if (gain !== 0) changed.set(run, gain);
  gains.value = changed;
  rememberNumbers("gains", changed);
}

/** From -1 to 1; null: by itself. */
export function setPan(run: string, pan: number | null): void {
  pans.value = new Map(pans.value).set(run, pan);
}
