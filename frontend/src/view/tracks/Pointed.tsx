/** What is under the pointer, or the focused row at the playhead, in one place at the foot. */

import { pointed, rowHere, wordsHere } from "../../actions/layers";
import { comparedWords, normWords, pool } from "../../model/norms";
import { formatStep, shownName } from "../../model/words";
import { axis, stepAt } from "../../state/axis";
import { heardUnderPointer } from "../../state/heard";
import { heatmaps, sidesShown } from "../../state/layers";
import { playheadStep } from "../../state/playing";
import { manyRuns, quantity } from "../../state/runs";
import type { Range, Side } from "../../units";

/** Fixed in its place, and never spoken by itself; where nothing is pointed at, of the focused row. */
export function Pointed() {
  const heard = heardUnderPointer.value;
  if (heard !== null) return <p class="pointed">{heard}</p>;
  const at = pointed.value;
  if (at !== null) {
    const [a, b] = [cellUnder("a"), cellUnder("b")];
    const cell = at.lane === "b" ? b : a;
    return (
      <Line
        lane={at.lane}
        name={at.row.name}
        steps={stepWords(cell.steps)}
        words={
          at.lane === "difference"
            ? comparedWords(a.norm, b.norm, quantity.value)
            : normWords(cell.norm, quantity.value)
        }
      />
    );
  }
  const [lane] = sidesShown.value;
  const row = lane === undefined ? undefined : rowHere(lane);
  if (lane === undefined || row === undefined) return <p class="pointed" />;
  return (
    <Line
      lane={lane}
      name={row.name}
      steps={`step ${formatStep(playheadStep.value)}`}
      words={wordsHere(lane, row)}
    />
  );
}

function Line(props: { lane: string; name: string; steps: string; words: string }) {
  return (
    <p class="pointed">
      {manyRuns.value && (
        <b>{props.lane === "difference" ? "A and B" : props.lane.toUpperCase()}</b>
      )}
      <span class="name" dir="auto">
        {shownName(props.name)}
      </span>
      <span>{props.steps}</span>
      <span class="number">{props.words}</span>
    </p>
  );
}

/** What a side has under the pointer: the worst norm of the row in the pixel, and the pixel's steps. */
function cellUnder(side: Side): { norm: number; steps: Range } {
  const place = axis.value;
  const at = pointed.value;
  const heatmap = heatmaps[side].value?.heatmap;
  if (at === null) return { norm: -1, steps: [0, 0] };
  const stepOf = (pixel: number) =>
    stepAt(side, place.from + ((place.to - place.from) * pixel) / place.width);
  const edges = Float64Array.of(stepOf(at.pixel), stepOf(at.pixel + 1));
  const [norm = -1] = heatmap === undefined ? [] : pool(heatmap, [at.row.layers], edges);
  return { norm, steps: [edges[0] ?? 0, edges[1] ?? 0] };
}

function stepWords([from, to]: Range): string {
  const [first, last] = [formatStep(from), formatStep(Math.ceil(to - 1e-6) - 1)];
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
}
