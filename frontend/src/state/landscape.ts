/** The loss landscape: strips of A and B, and the surface that is shown with its paths. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { View } from "../draw/projection";
import { colourAt } from "../model/colours";
import { alphaScale, alphasOf, type Strips } from "../model/strips";
import { type PlanePath, reliefOf, runOfPath, type Surface, snapshotAt } from "../model/surface";
import { fetchStrips, fetchSurface } from "../server/landscape";
import { Resource } from "../server/resource";
import { SIDES, type Side, type Step } from "../units";
import { across, drawable } from "./axis";
import { drawer, hearing } from "./choices";
import { playheadStep } from "./playing";
import { bySide, dark, forcedColours, lineColourOf, nonNull, runOf, runs, sides } from "./runs";

/** Of a lane, in CSS pixels; as in tracks.css. */
export const STRIP_HEIGHT = 84;

const MOST_STRIPS = 2_000; // more than a lane has pixels

export const stripResource = new Resource(
  ([run]: readonly [string], signal) => fetchStrips(run, MOST_STRIPS, signal),
  () => false,
);

/** What is to be asked for to fill the lanes. */
export const stripKeys = (): (readonly [string])[] => nonNull(SIDES.map(stripKeyOf));

function stripKeyOf(side: Side): readonly [string] | null {
  const run = runOf(side);
  return run?.hasStrips === true ? [run.name] : null;
}

export const stripsOf: Readonly<Record<Side, ReadonlySignal<Strips | null>>> = bySide((side) =>
  computed(() => {
    const key = stripKeyOf(side);
    const strips = key === null ? null : stripResource.get(key).value;
    return strips === null || strips.steps.length === 0 ? null : strips;
  }),
);

export const scaleOf = bySide((side) =>
  computed(() => {
    const strips = stripsOf[side].value;
    return strips === null ? null : alphaScale(alphasOf(strips), STRIP_HEIGHT);
  }),
);

/** How far ahead the keys of the lanes read, in steps of the optimizer. */
export const alphaRead = signal(0);

export const surfaceResource = new Resource(
  ([run, name]: readonly [string, string], signal) => fetchSurface(run, name, signal),
  () => false,
);

type SurfaceKey = readonly [string, string];

/** The surfaces to choose from, by their names: of the run that is heard before those of others. */
export const surfaces: ReadonlySignal<readonly SurfaceKey[]> = computed(() => {
  const found = new Map<string, SurfaceKey>();
  const first = runOf(hearing.value);
  for (const run of first === null ? runs.value : [first, ...runs.value]) {
    for (const name of run.surfaces) {
      if (!found.has(name)) found.set(name, [run.name, name]);
    }
  }
  return [...found.values()];
});

export const chosenSurface = signal<string | null>(null);

const surfaceKey: ReadonlySignal<SurfaceKey | null> = computed(() => {
  const all = surfaces.value;
  return all.find(([, name]) => name === chosenSurface.value) ?? all[0] ?? null;
});

/** What is to be asked for to fill the panel. */
export const surfaceKeys = (): SurfaceKey[] =>
  drawer.value === "landscape" ? nonNull([surfaceKey.value]) : [];

/** What is known of the surface that is to be shown, and whether it is still to come. */
export const surfaceEntry = computed(() =>
  surfaceKey.value === null ? null : surfaceResource.get(surfaceKey.value),
);

/** The surface of that name; until that of another run comes, the last one. */
export const surface: ReadonlySignal<Surface | null> = (() => {
  let last: Surface | null = null;
  return computed(() => {
    last = surfaceEntry.value?.value ?? last;
    return last !== null && last.name === surfaceKey.value?.[1] ? last : null;
  });
})();

export const relief = computed(() => (surface.value === null ? null : reliefOf(surface.value)));

/** From where the surface is seen; null: as a map. */
export const view = signal<View | null>(null);

/** The run of each path, as far as there is one. */
export const pathRuns: ReadonlySignal<readonly (string | null)[]> = computed(() => {
  const names = runs.value.map(({ name }) => name);
  const shown = surface.value;
  return shown?.paths.map(({ name }) => runOfPath(shown, name, names)) ?? [];
});

/** That of its run, or one of its own. */
export function pathColour(at: number): string {
  const run = pathRuns.value[at];
  if (run != null || forcedColours.value) return lineColourOf(run ?? "");
  const colour = colourAt(at + 1);
  return dark.value ? colour.dark : colour.light;
}

/** The path that was chosen to be read; of a run that is no longer heard, it is not. */
export const pathRead = signal<number | null>(null);

/** The path that keys are about: that of the run that is heard, where it has one. */
export const pathHere: ReadonlySignal<number> = computed(() => {
  const [all, run, read] = [pathRuns.value, sides.value[hearing.value], pathRead.value];
  if (read !== null && (all[read] === null || all[read] === run)) return read;
  return Math.max(0, all.indexOf(run));
});

/**
 * A step that is read although the playhead cannot go there, as it ends before or there is none, and
 * where it was then.
 */
export const stepRead = signal<{ readonly step: Step; readonly playhead: Step } | null>(null);

/** The step that paths are at. */
export const stepHere = computed(() => {
  const [read, playhead] = [stepRead.value, playheadStep.value];
  return read !== null && (!drawable.value || read.playhead === playhead) ? read.step : playhead;
});

/** The step of the run of a path that lies where a step of a side does. */
export function stepOfPath(path: number, step: Step, from: Side): Step {
  const side = SIDES.find((each) => sides.value[each] === pathRuns.value[path]);
  return side === undefined ? step : across(step, from, side);
}

/** The snapshot that a path is at. */
export const snapshotHere = (path: PlanePath, at: number): number =>
  snapshotAt(path, stepOfPath(at, stepHere.value, hearing.value));
