/** The line at the pointer with the values of all drawn runs there; nobody points at the first picture. */

import { pixelOfY } from "../../draw/plot";
import { formatDuration, formatX, pixelOf, xOf } from "../../model/axis";
import { readingsAt } from "../../model/curve";
import { clamp, frameAtStep, lastNotAfter } from "../../model/notes";
import { formatDifference, formatRange, formatStep, shownName } from "../../model/words";
import {
  axis,
  drawable,
  laidCurves,
  plotHeight,
  plotted,
  pointer,
  stepAt,
  xAt,
  yAxis,
} from "../../state/axis";
import { hearing, measure } from "../../state/choices";
import { sources } from "../../state/hearing";
import { isPlaying, playheadStep } from "../../state/playing";
import { manyRuns } from "../../state/runs";

const MOST_ROWS = 8;
const ROW_PIXELS = 20;
const CARD_PIXELS = 300; // at most, as in plot.css
const OFF_PIXELS = 14; // from the pointer

/**
 * A line through plot and lanes at the pointer, with the values of all drawn runs there, the nearest
 * first. Where the timeline has the focus of the keyboard and no pointer is over it, at the playhead.
 */
export function Crosshair({ byKeys }: { byKeys: boolean }) {
  const { left, width, from, to } = axis.value;
  const at = pointer.value ?? (byKeys && !isPlaying() ? playheadOnPlot() : null);
  if (!drawable.value || at === null) return null;
  const pixel = clamp(at.x, left, left + width);
  const x = xOf(axis.value, pixel);
  const readings = readingsHere(x, at.y);
  const shown = readings.slice(0, MOST_ROWS);
  const rows = shown.length + (readings.length > MOST_ROWS ? 1 : 0);
  const before = pixel > left + width / 2 && pixel > CARD_PIXELS;
  const top = clamp(at.y + OFF_PIXELS, 0, Math.max(0, plotHeight.value - 38 - ROW_PIXELS * rows));
  return (
    <div class="hairline" aria-hidden="true" style={{ transform: `translateX(${pixel}px)` }}>
      <div class={before ? "readings before" : "readings"} style={{ "--top": `${top}px` }}>
        <p>
          {measure.value === "step" ? "" : `${formatX(measure.value, x, to - from)} · `}
          {whereWords(x)}
        </p>
        {shown.length > 0 && (
          <ul>
            {shown.map(({ of, min, max, difference }) => (
              <li key={`${of.role} ${of.title}`} class={of.role}>
                <i style={{ "--line": of.colour }} />
                <bdi>
                  {of.side !== null && manyRuns.value && <b>{of.side.toUpperCase()} </b>}
                  {shownName(of.title)}
                </bdi>
                <small>{difference !== null && formatDifference(difference, 0)}</small>
                <span>{formatRange({ min, max })}</span>
              </li>
            ))}
          </ul>
        )}
        {readings.length > MOST_ROWS && <p>and {readings.length - MOST_ROWS} more</p>}
      </div>
    </div>
  );
}

const playheadOnPlot = () => ({
  x: pixelOf(axis.value, xAt(hearing.value, playheadStep.value)),
  y: Number.NaN,
});

/** Runs in front first where the pointer is not over the plot, else by their distance to it. */
function readingsHere(x: number, y: number) {
  const runs = [...plotted.value].reverse();
  const [height, yNow] = [plotHeight.value, yAxis.value];
  const over = y >= 0 && y <= height;
  const distance = (value: number) => Math.abs(pixelOfY(yNow, height, value) - y);
  return readingsAt(runs, x, runs.find(({ role }) => role === "a") ?? null, over ? distance : null);
}

/** "step 61 · 0:03.7 · 12 s into the run". */
function whereWords(x: number): string {
  const side = hearing.value;
  const step = stepAt(side, x);
  const source = sources[side].value;
  const times = laidCurves[side].value?.times;
  const bin = lastNotAfter(laidCurves[side].value?.steps ?? [], step, times?.length ?? 0);
  const into = (times?.[bin] ?? Number.NaN) - (times?.[0] ?? 0);
  return [
    `step ${formatStep(Math.round(step))}`,
    source === null
      ? ""
      : clockWords(frameAtStep(source.timeline, step) / source.preset.sampleRate),
    into > 0 ? `${formatDuration(into, Math.max(into, 5))} into the run` : "",
  ]
    .filter((words) => words !== "")
    .join(" · ");
}

/** "0:03.7", of the sound. */
const clockWords = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
