/** What can be heard, under the curve and on its axis: one lane for A, one for B. */

import type { Source } from "../../audio/clips";
import type { Axis } from "../../model/axis";
import { nanRanges } from "../../model/norms";
import type { Span } from "../../model/notes";
import { axis, drawable, seen, xAt } from "../../state/axis";
import { hearing, listening } from "../../state/choices";
import { coverageOf, coverages, noteQueries, playedOf, sources } from "../../state/hearing";
import { heatmaps } from "../../state/layers";
import { player } from "../../state/playing";
import { lineColours, manyRuns, sides } from "../../state/runs";
import { type Range, SIDES, type Side, type Step } from "../../units";

export function CoverageBand() {
  const place = axis.value;
  return (
    <div class="band" aria-hidden="true">
      {drawable.value &&
        SIDES.map(
          (side) => sides.value[side] !== null && <Lane key={side} side={side} place={place} />,
        )}
    </div>
  );
}

/** What the shades of the band mean; those that are there. */
export function BandLegend() {
  const spans = SIDES.flatMap((side) => sources[side].value?.spans ?? []);
  const some = (kind: "missing" | "sampled") =>
    SIDES.some((side) => (coverages[side].value?.[kind].length ?? 0) > 0);
  if (spans.length === 0) return null;
  return (
    <ul class="shades heard" aria-hidden="true">
      <li>Sound</li>
      <Shade kind="here" words="loaded" />
      <Shade kind="loading" words="loading" />
      <Shade kind="away" words="loads when needed" />
      {SIDES.some((side) => nanOf(side).length > 0) && <Shade kind="nan" words="NaN" />}
      {spans.some(({ open }) => open) && <Shade kind="here open" words="may still grow" />}
      {some("sampled") && <Shade kind="sampled" words="a sample of the points" />}
      {some("missing") && <Shade kind="missing" words="cannot be read" />}
    </ul>
  );
}

function Shade({ kind, words }: { kind: string; words: string }) {
  return (
    <li>
      <span class="blocks">
        <i class={kind} />
      </span>
      {words}
    </li>
  );
}

function Lane({ side, place }: { side: Side; place: Axis }) {
  const played = playedOf(side);
  const coverage = coverages[side].value;
  const heard = hearing.value === side || listening.value !== "one";
  return (
    <div class={heard ? "lane heard" : "lane"} style={{ "--line": lineColours[side].value }}>
      <span class="letter" style={{ width: `${place.left - 8}px` }}>
        {manyRuns.value && side.toUpperCase()}
      </span>
      <div class="blocks" style={{ left: `${place.left}px`, width: `${place.width}px` }}>
        {played?.source.spans.map((span) => (
          <Block key={span.firstNote} on={played.on} source={played.source} span={span} />
        ))}
        {nanOf(side).map(([from, to]) => (
          <i key={`nan ${from}`} class="nan" style={extent(side, from, to)} />
        ))}
        {coverage?.sampled.map(([from, to]) => (
          <i key={`sampled ${from}`} class="sampled" style={extent(side, from, to)} />
        ))}
        {coverage?.missing.map(([from, to]) => (
          <i key={from} class="missing" style={extent(side, from, to)} />
        ))}
        {coverageOf(noteQueries[side].value) !== null && played === null && (
          <span class="none">nothing to hear</span>
        )}
      </div>
    </div>
  );
}

function Block({ on, source, span }: { on: Side; source: Source; span: Span }) {
  void player.clips.changes.value;
  const { steps } = source.timeline;
  const from = steps[span.firstNote] ?? 0;
  const to = steps[span.firstNote + span.notes] ?? from;
  const state = player.clips.stateOf({ source, span });
  return <i class={span.open ? `${state} open` : state} style={extent(on, from, to)} />;
}

function nanOf(side: Side): Range[] {
  const heatmap = heatmaps[side].value?.heatmap;
  return heatmap === undefined ? [] : nanRanges(heatmap);
}

/** In percent of the plot, so that nothing needs drawing again when it is resized. */
function extent(side: Side, from: Step, to: Step) {
  const [first, last] = seen.value;
  const percent = (step: Step) => (100 * (xAt(side, step) - first)) / (last - first);
  return { left: `${percent(from)}%`, width: `${percent(to) - percent(from)}%` };
}
