/** The lanes of layers: what each shows, in which rows, and what is known at the playhead. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Source } from "../audio/clips";
import type { Heatmap } from "../model/answers";
import type { Axis, Measure } from "../model/axis";
import { areBeyond, decadesOf, worse } from "../model/heatmap";
import { crowded, type Module, modulesOf, type Row, rowsOf } from "../model/layers";
import { largest, worstNorm } from "../model/norms";
import { noteAtStep, spanAt } from "../model/notes";
import type { Quantity } from "../model/quantity";
import { type Range, SIDES, type Side, type Step } from "../units";
import { across, axis, drawable, stepAt } from "./axis";
import {
  closedModules,
  differenceWanted,
  drawer,
  focusedRow,
  hearing,
  layerFilter,
  measure,
  rowOrder,
} from "./choices";
import { heatmapKey, heatmapResource, noteResource } from "./data";
import { coverages, sources } from "./hearing";
import { playheadStep } from "./playing";
import { bySide, hasQuantity, nonNull, quantity, runOf } from "./runs";

export type Lane = Side | "difference";

/** What is seen, once it is at rest. */
type Rested = { readonly axis: Axis; readonly measure: Measure };

/** A heat-map, and what was seen when it was asked for. */
export type LanePicture = Rested & {
  readonly run: string;
  readonly quantity: Quantity;
  readonly heatmap: Heatmap;
};

const SAME = ["from", "to", "left", "width"] as const;
const KINDS = ["run", "quantity", "measure"] as const;
const REST_MS = 120; // until what is seen counts as chosen

/** The axis where it came to rest; until then, pictures are stretched. */
export const rested = signal<Rested | null>(null);

/** To be run as an effect. */
export function restAxis(): (() => void) | undefined {
  const last = rested.peek();
  const next = drawable.value ? { axis: axis.value, measure: measure.value } : null;
  if (next === null || next.measure !== last?.measure) {
    rested.value = next;
    return undefined;
  }
  if (SAME.every((name) => next.axis[name] === last.axis[name])) return undefined;
  const timer = setTimeout(() => {
    rested.value = next;
  }, REST_MS);
  return () => clearTimeout(timer);
}

/** The steps of a run that are seen at rest; null where it has none of what is heard. */
export function stepsOf(side: Side): readonly [string, Step, Step, Quantity] | null {
  const run = runOf(side);
  if (rested.value?.measure !== measure.value || run === null || !hasQuantity(side)) return null;
  const { from, to } = rested.value.axis;
  return [run.name, stepAt(side, from), stepAt(side, to), quantity.value];
}

/** What is to be asked for to fill the lanes. */
export const heatmapKeys = () => nonNull(SIDES.map(heatmapKeyOf));

function heatmapKeyOf(side: Side): ReturnType<typeof heatmapKey> {
  const steps = stepsOf(side);
  if (steps === null || rested.value === null) return null;
  const [run, from, to, of] = steps;
  return heatmapKey(run, { ...rested.value.axis, from, to }, of);
}

/** What is to be asked for to fill the tables of layers. */
export const layerKeys = () => (drawer.value === "layers" ? nonNull(SIDES.map(stepsOf)) : []);

/** What is drawn of each side: the last heat-map of its run. */
export const heatmaps: Readonly<Record<Side, ReadonlySignal<LanePicture | null>>> = bySide(
  (side) => {
    let last: LanePicture | null = null;
    return computed(() => {
      const run = runOf(side);
      const key = heatmapKeyOf(side);
      const heatmap = key === null ? null : heatmapResource.get(key).value;
      if (run !== null && heatmap !== null && rested.value !== null) {
        if (last?.heatmap !== heatmap || last.axis !== rested.value.axis) {
          last = { ...rested.value, run: run.name, quantity: quantity.value, heatmap };
        }
      }
      const same = last?.run === run?.name && last?.quantity === quantity.value;
      return same && last?.measure === measure.value ? last : null;
    });
  },
);

/** Both pictures, where they are of the same axis; the last ones that were. */
export const pair: ReadonlySignal<Readonly<Record<Side, LanePicture>> | null> = (() => {
  let last: Readonly<Record<Side, LanePicture>> | null = null;
  return computed(() => {
    const [a, b] = [heatmaps.a.value, heatmaps.b.value];
    if (a === null || b === null) return null;
    if (a.axis === b.axis) last = { a, b };
    const same = KINDS.every((kind) => last?.a[kind] === a[kind] && last.b[kind] === b[kind]);
    return same ? last : null;
  });
})();

const heatmapsSeen = computed(() =>
  nonNull(SIDES.map((side) => heatmaps[side].value?.heatmap ?? null)),
);

/** The scale of the colours, and whether norms lie outside of it. */
export const decades: ReadonlySignal<Range> = computed(() => decadesOf(heatmapsSeen.value));
export const someBeyond = computed(() => areBeyond(heatmapsSeen.value, decades.value));

/** Sides whose layers are shown. */
export const sidesShown: ReadonlySignal<readonly Side[]> = computed(() =>
  SIDES.filter(hasQuantity),
);

export const differenceShown: ReadonlySignal<boolean> = computed(
  () => differenceWanted.value && sidesShown.value.length === SIDES.length,
);

export const lanes: ReadonlySignal<readonly Lane[]> = computed(() =>
  differenceShown.value ? [...sidesShown.value, "difference"] : sidesShown.value,
);

const layersOf: Readonly<Record<Side, ReadonlySignal<ReadonlySet<string>>>> = bySide((side) =>
  computed(() => {
    if (!hasQuantity(side)) return new Set<string>();
    return new Set(heatmaps[side].value?.heatmap.layers ?? coverages[side].value?.layers ?? []);
  }),
);

/** How many layers there are in both runs together, also those that the filter hides. */
export const layerCount: ReadonlySignal<number> = computed(() => allLayers.value.length);

const allLayers: ReadonlySignal<readonly string[]> = computed(() => [
  ...new Set(SIDES.flatMap((side) => [...layersOf[side].value])),
]);

/** The layers that the filter lets through, by module, one order for all lanes. */
export const modules: ReadonlySignal<readonly Module[]> = computed(() => {
  const wanted = layerFilter.value.trim().toLowerCase();
  return modulesOf(allLayers.value.filter((layer) => layer.toLowerCase().includes(wanted)));
});

/** Modules that can be one row. */
export const moduleNames: ReadonlySignal<readonly string[]> = computed(() =>
  nonNull(modules.value.map(({ name }) => name)),
);

export const isClosed = (module: string): boolean =>
  closedModules.value.get(module) ?? closedAtFirst.value;

const closedAtFirst: ReadonlySignal<boolean> = computed(() =>
  crowded(modules.value.reduce((sum, { layers }) => sum + layers.length, 0)),
);

const sizes: ReadonlySignal<ReadonlyMap<string, number>> = computed(() => {
  const found = new Map<string, number>();
  for (const picture of nonNull(SIDES.map((side) => heatmaps[side].value))) {
    for (const [layer, norm] of largest(picture.heatmap)) {
      if (worse(norm, found.get(layer) ?? -1)) found.set(layer, norm);
    }
  }
  return found;
});

/** The rows of each lane. */
export const rows: Readonly<Record<Lane, ReadonlySignal<readonly Row[]>>> = {
  ...bySide((side) => computed(() => rowsWith((layer) => layersOf[side].value.has(layer)))),
  difference: computed(() => rowsWith(() => true)),
};

function rowsWith(has: (layer: string) => boolean): Row[] {
  const size = rowOrder.value === "depth" ? null : (layer: string) => sizes.value.get(layer) ?? -1;
  return rowsOf(modules.value, { has, closed: isClosed, size });
}

/** Index of the row of a lane that has the focus; -1 where the lane does not have it. */
export const focusedIndex = (lane: Lane): number =>
  rows[lane].value.findIndex(({ key }) => key === focusedRow.value);

/** The notes around the playhead, whose norms stand in the heads of the tracks. */
export const tableKeys = () => nonNull(sidesShown.value.map(tableKeyOf));

function tableKeyOf(side: Side): readonly [string, number, number] | null {
  const source = sources[side].value;
  if (source === null) return null;
  const span = spanAt(source.spans, noteHere(side, source));
  return span === undefined ? null : [source.view, span.firstNote, span.notes];
}

/** The worst norm of some layers of a side at the playhead; null where it is not known yet. */
export function normHere(side: Side, layers: readonly string[]): number | null {
  const key = tableKeyOf(side);
  const source = sources[side].value;
  const table = key === null ? null : noteResource.get(key).value;
  if (table === null || source === null) return null;
  return worstNorm(table, noteHere(side, source), layers);
}

const noteHere = (side: Side, { timeline }: Source): number =>
  noteAtStep(timeline, across(playheadStep.value, hearing.value, side));

/** The streams in which some layers are heard. */
export function streamsOf(lane: Lane, layers: readonly string[]): readonly string[] {
  const side = lane === "difference" ? hearing.value : lane;
  const streams = coverages[side].value?.streams ?? [];
  return streams
    .filter((stream) => stream.layers.some((layer) => layers.includes(layer)))
    .map(({ name }) => name);
}
