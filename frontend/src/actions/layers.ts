/** What a person can do with the rows of a lane; what it changes is said. */

import { signal } from "@preact/signals";
import type { Row } from "../model/layers";
import { comparedWords, normWords } from "../model/norms";
import { clamp } from "../model/notes";
import { titleOf } from "../model/quantity";
import { settlePreset } from "../model/runs";
import { formatStep, spokenName } from "../model/words";
import {
  chosenPreset,
  closedModules,
  focusedRow,
  hearing,
  layerFilter,
  soloedStreams,
} from "../state/choices";
import { canMute, coverages } from "../state/hearing";
import {
  focusedIndex,
  isClosed,
  type Lane,
  moduleNames,
  normHere,
  rows,
  streamsOf,
} from "../state/layers";
import { announcer, runWords } from "../state/playing";
import { quantity } from "../state/runs";

/** The row under the pointer, and how far along the plot the pointer is, 0 to 1. */
export const pointed = signal<{
  readonly lane: Lane;
  readonly row: Row;
  readonly pixel: number;
} | null>(null);

/** The row of a lane that its keys are about: the focused one, or else the first. */
export const rowHere = (lane: Lane): Row | undefined =>
  rows[lane].value[Math.max(0, focusedIndex(lane))];

/** "Update norms of A, sgd-0.1, 12 of 200: block3.conv1". */
export function laneName(lane: Lane): string {
  const of = lane === "difference" ? ", difference of A and B" : ` of ${runWords(lane)}`;
  const what = titleOf(quantity.value) + of;
  const row = rowHere(lane);
  if (row === undefined) return `${what}, none`;
  const at = Math.max(0, focusedIndex(lane)) + 1;
  return `${what}, ${at} of ${rows[lane].value.length}: ${spokenName(row.name)}`;
}

/** The norm of a row at the playhead, or how the two compare there, in words. */
export const wordsHere = (lane: Lane, { layers }: Row): string =>
  lane === "difference"
    ? comparedWords(normHere("a", layers), normHere("b", layers), quantity.value)
    : normWords(normHere(lane, layers), quantity.value);

export function focusRow(row: Row): void {
  focusedRow.value = row.key;
}

/** Go to the row of a lane so many further down, and say it. */
export function moveRow(lane: Lane, by: number): void {
  const all = rows[lane].value;
  const row = all[clamp(Math.max(0, focusedIndex(lane)) + by, 0, all.length - 1)];
  if (row === undefined) return;
  focusRow(row);
  sayRow(lane);
}

/** Show the layers that have something in their names, and say how many. */
export function filterLayers(text: string): void {
  layerFilter.value = text;
  announcer.settle(() => {
    const found = rows[hearing.value].value.reduce((sum, { layers }) => sum + layers.length, 0);
    return `${found === 1 ? "1 layer" : `${formatStep(found)} layers`}`;
  });
}

/** Say layer, norm at the playhead and stream. */
export function sayRow(lane: Lane): void {
  const row = rowHere(lane);
  if (row === undefined) return;
  announcer.settle(() => {
    const name = spokenName(row.name);
    const many = row.layers.length > 1 ? `${row.layers.length} layers, the largest` : "";
    const words = wordsHere(lane, row);
    return [name, `${many} ${words === "…" ? "" : words}`.trim(), streamWords(lane, row)]
      .filter((part) => part !== "")
      .join(", ");
  });
}

/** Hear only the streams that the focused row is in, or all of them again. */
export function soloRow(lane: Lane): void {
  const row = rowHere(lane);
  const coverage = coverages[lane === "difference" ? hearing.value : lane].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (row === undefined || coverage === null || preset === null) return;
  if (!canMute(preset, coverage)) {
    announcer.say(`The sound ${preset.title} has no streams to be heard alone`);
    return;
  }
  const own = streamsOf(lane, row.layers);
  if (own.length === coverage.streams.length) {
    announcer.say(`${spokenName(row.name)} is in all streams`);
    return;
  }
  const before = soloedStreams.value;
  const alone = before.size === own.length && own.every((name) => before.has(name));
  soloedStreams.value = new Set(alone ? [] : own);
  announcer.say(
    alone
      ? "All streams are heard"
      : `Only ${streamWords(lane, row)}, with ${spokenName(row.name)}`,
  );
}

const streamWords = (lane: Lane, row: Row): string => streamsOf(lane, row.layers).join(" and ");

/** Make one row of a module, or open it again; the focus stays inside. */
export function toggleModule(module: string): void {
  setModules([module], !isClosed(module));
}

export function setAllModules(closed: boolean): void {
  setModules(moduleNames.value, closed);
}

function setModules(names: readonly string[], closed: boolean): void {
  const before = [...rows.a.value, ...rows.b.value].find(({ key }) => key === focusedRow.value);
  closedModules.value = new Map([
    ...closedModules.value,
    ...names.map((name) => [name, closed] as const),
  ]);
  if (before?.module === null || before === undefined || !names.includes(before.module)) return;
  const after = [...rows.a.value, ...rows.b.value].find(({ module }) => module === before.module);
  focusedRow.value = after?.key ?? null;
}
