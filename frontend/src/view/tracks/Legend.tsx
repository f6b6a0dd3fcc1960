/** What is drawn: the runs with their values at the playhead, and what is left out. */

import { formatRange, shownName } from "../../model/words";
import { laidCurves, laidPartners, outliers } from "../../state/axis";
import { outliersShown, showOutliers } from "../../state/choices";
import { valueHere } from "../../state/playing";
import { curves, lineColours, log, partnerTag, scalarsOf, sides, tag } from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Letter } from "../parts/Button";

export function Legend() {
  return (
    <ul class="legend" aria-label="Runs in the curve">
      {SIDES.flatMap((side) => [
        <Entry key={side} side={side} />,
        <Partner key={`${side} partner`} side={side} />,
      ])}
    </ul>
  );
}

/** What the y axis is, how many points are beyond it, and whether these are to be shown. */
export function Outliers() {
  const count = outliers.value;
  if (tag.value === null) return null;
  const points = `${count} ${count === 1 ? "point" : "points"}`;
  const beyond = count === 0 ? "" : outliersShown.value ? "" : `; ${points} beyond`;
  return (
    <p class="y-title">
      <span>
        {log.value ? "log" : "linear"}
        {beyond}
      </span>
      {(count > 0 || outliersShown.value) && (
        <button
          type="button"
          class="plain"
          aria-pressed={outliersShown.value}
          title="A few points far away leave the picture, so that the other ones have room"
          onClick={() => showOutliers(!outliersShown.value)}
        >
          Show outliers
        </button>
      )}
    </p>
  );
}

function Entry({ side }: { side: Side }) {
  const run = sides.value[side];
  if (run === null) return null;
  const missing = curves[side].value === null && scalarsOf(side) !== null && tag.value !== null;
  const without = missing && !scalarsOf(side)?.scalars.includes(tag.value ?? "");
  return (
    <li>
      <Letter side={side} />
      <Sample side={side} width={2} />
      <span class="name" dir="auto" title={run}>
        {shownName(run)}
      </span>
      {without ? <span class="chip">not in this run</span> : <Value side={side} of={laidCurves} />}
    </li>
  );
}

/** The validation loss, which is drawn thin in the colour of its run. */
function Partner({ side }: { side: Side }) {
  const drawn = partnerTag[side].value;
  if (drawn === null) return null;
  return (
    <li>
      <Sample side={side} width={1} />
      <span class="name" dir="auto" title={drawn}>
        {shownName(drawn)}
      </span>
      <Value side={side} of={laidPartners} />
    </li>
  );
}

/** A piece of the line. */
function Sample({ side, width }: { side: Side; width: 1 | 2 }) {
  return (
    <svg width="18" height="4" aria-hidden="true">
      <line
        x1="0"
        y1="2"
        x2="18"
        y2="2"
        stroke={lineColours[side].value}
        stroke-width={width}
        stroke-dasharray={side === "b" && width === 2 ? "6 3" : "none"}
      />
    </svg>
  );
}

/** The value of a curve at the playhead; it keeps its place while it changes. */
function Value({ side, of }: { side: Side; of: typeof laidCurves }) {
  const curve = of[side].value;
  if (curve === null) return null;
  return <span class="number">{formatRange(valueHere(side, curve))}</span>;
}
