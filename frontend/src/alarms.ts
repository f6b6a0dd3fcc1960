/** Speaks of the first NaN that the playhead passes; the sound itself has an earcon for each. */

import type { Source } from "./audio/clips";
import { hearing } from "./choices";
import { noteShelf } from "./data";
import { formatStep, spokenName } from "./model/format";
import { layerNorms, nanLayers } from "./model/norms";
import { spanAt } from "./model/spans";
import { noteAtStep } from "./model/timeline";
import { announcer, player } from "./playing";
import { sources } from "./sources";

/** What is watched from where on, the next note to look at, and whether a NaN was spoken of. */
let watched = { run: "", from: -1, next: 0, spoken: false };

/** To be run as an effect: looks at every note between two positions, so that none is missed. */
export function speakOfNan(): void {
  const { step } = player.shown.value;
  const transport = player.transport.value;
  const source = sources[hearing.value].value;
  if (transport.state === "paused" || source === null) return;
  const { frame } = transport.passage.anchor;
  const note = noteAtStep(source.timeline, step);
  if (watched.run !== source.run || watched.from !== frame) {
    watched = { run: source.run, from: frame, next: note, spoken: false };
  }
  for (; watched.next <= note && !watched.spoken; watched.next++) {
    const layers = nanLayersOf(source, watched.next);
    if (layers === null) return; // not loaded yet: look again when it is
    if (layers[0] === undefined) continue;
    const others = layers.length > 1 ? ` and ${layers.length - 1} more` : "";
    const at = formatStep(source.timeline.steps[watched.next] ?? step);
    announcer.mention(`NaN in ${spokenName(layers[0])}${others} at step ${at}`);
    watched.spoken = true;
  }
}

function nanLayersOf(source: Source, note: number): string[] | null {
  const span = spanAt(source.spans, note);
  if (span === undefined) return [];
  const table = noteShelf.get([source.view, span.firstNote, span.notes]).value;
  return table === null ? null : nanLayers(layerNorms(table, note));
}
