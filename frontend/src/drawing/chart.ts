/** The loss curves, drawn by uPlot. It is given numbers only; see model/curve.ts. */

import type uPlot from "uplot";
import { logTicks } from "../model/axis";
import { type Line, rangeOf } from "../model/curve";
import { formatTick } from "../model/format";
import { formatX, incrementsOf } from "../model/places";
import type { Measure } from "../model/ruler";
import type { Range, Side } from "../units";
import { drawBehind, markEnds } from "./marks";

/** What is drawn of one run. */
export type Drawing = {
  /** Null: it is neither A nor B, and drawn thinly behind them. */
  readonly side: Side | null;
  readonly line: Line;
  readonly colour: string;
  /** Where on the x axis its first NaN or infinity is. */
  readonly gap: number | null;
};

export type Picture = {
  readonly drawings: readonly Drawing[];
  readonly seen: Range;
  readonly measure: Measure;
  readonly log: boolean;
  /** Whether the letters of A and B are written on their curves. */
  readonly lettered: boolean;
  /** Colours of text and grid. */
  readonly ink: string;
  readonly grid: string;
  readonly card: string;
};

/** Where the plot lies within the chart, in CSS pixels. */
export type Place = { readonly left: number; readonly width: number };

const DASHES: Readonly<Record<Side, number[]>> = { a: [], b: [7, 4] };
const FONT = "12px Roboto, system-ui, sans-serif";
const Y_AXIS_PIXELS = 64;
const RIGHT_PIXELS = 20;
const PIXELS_PER_DIGIT = 7;

/** Draw a picture into an element; the caller moves it along with `showRange`, and destroys it. */
export function drawChart(
  Chart: typeof uPlot,
  root: HTMLElement,
  picture: Picture,
  onPlace: (place: Place) => void,
): uPlot {
  const { drawings, log, seen } = picture;
  const front = drawings.filter(({ side }) => side !== null);
  const tables = front.map(({ line: { xs, max, min, banded, smooth } }) => [
    xs,
    ...(smooth === null ? [] : [smooth]),
    max,
    ...(banded ? [min] : []),
  ]);
  const data = tables.length > 0 ? Chart.join(tables as uPlot.AlignedData[]) : [[], []];
  const place = (chart: uPlot) => {
    const ratio = devicePixelRatio;
    onPlace({ left: chart.bbox.left / ratio, width: chart.bbox.width / ratio });
  };
  const options: uPlot.Options = {
    width: root.clientWidth,
    height: root.clientHeight,
    padding: [14, RIGHT_PIXELS, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, min: seen[0], max: seen[1], range: (_, from, to) => [from, to] },
      y: { distr: log ? 3 : 1, auto: false, range: (_, from, to) => [from, to] },
    },
    axes: [xAxis(picture), yAxis(picture)],
    series: [{}, ...front.flatMap(seriesOf)],
    bands: bandsOf(front),
    hooks: {
      ready: [place],
      setSize: [place],
      drawAxes: [(chart) => drawBehind(chart, picture)],
      draw: [(chart) => markEnds(chart, picture)],
    },
  };
  const chart = new Chart(options, data as uPlot.AlignedData, root);
  showRange(chart, picture, seen);
  return chart;
}

/** Show another part of the x axis, as high as what is in it. */
export function showRange(chart: uPlot, { drawings, log }: Picture, [min, max]: Range): void {
  const lines = drawings.map(({ line }) => line);
  const [low, high] = rangeOf(lines, log, [min, max]);
  chart.batch(() => {
    chart.setScale("x", { min, max });
    chart.setScale("y", { min: low, max: high });
  });
}

export const rangeSeen = ({ scales }: uPlot): Range => [
  scales.x?.min ?? Number.NEGATIVE_INFINITY,
  scales.x?.max ?? Number.POSITIVE_INFINITY,
];

/** A run is one line, or the two edges of a band; where it is smoothed, these are pale behind it. */
function seriesOf({ side, line, colour }: Drawing): uPlot.Series[] {
  const dash = side === null ? [] : DASHES[side];
  const bold = { stroke: colour, width: 2, dash, spanGaps: false };
  const pale = { ...bold, stroke: translucent(colour), width: 1, dash: [] };
  const edge = line.smooth === null ? bold : pale;
  return [...(line.smooth === null ? [] : [bold]), edge, ...(line.banded ? [edge] : [])];
}

/** Where a curve was thinned out, what lies between its smallest and largest values is filled. */
function bandsOf(drawings: readonly Drawing[]): uPlot.Band[] {
  let next = 1;
  return drawings.flatMap(({ line, colour }) => {
    const first = next + (line.smooth === null ? 0 : 1);
    next = first + (line.banded ? 2 : 1);
    return line.banded
      ? [{ series: [first, first + 1] as [number, number], fill: translucent(colour) }]
      : [];
  });
}

const translucent = (colour: string): string =>
  colour.startsWith("#") ? `${colour}40` : "transparent";

function xAxis({ ink, grid, measure }: Picture): uPlot.Axis {
  return {
    ...axisLook(ink, grid),
    size: 36,
    space: (_, __, from, to) =>
      Math.max(64, 28 + PIXELS_PER_DIGIT * formatX(measure, to, to - from).length),
    incrs: incrementsOf(measure),
    values: (chart, splits) =>
      splits.map((x) => {
        const text = formatX(measure, x, spread(splits));
        const right = chart.bbox.width / devicePixelRatio + RIGHT_PIXELS;
        const end = chart.valToPos(x, "x") + (text.length * PIXELS_PER_DIGIT) / 2;
        return end > right ? "" : text; // it would be cut off
      }),
  };
}

function yAxis({ ink, grid, log }: Picture): uPlot.Axis {
  const axis: uPlot.Axis = {
    ...axisLook(ink, grid),
    size: Y_AXIS_PIXELS,
    space: 36,
    values: (_, splits) => splits.map(formatTick),
  };
  // uPlot's own lines on a log axis run into one another over many decades.
  if (!log) return axis;
  const splits: uPlot.Axis.Splits = (_, __, low, high) => {
    const ticks = logTicks([low, high]);
    return ticks.length > 1 ? ticks : [low, Math.sqrt(low * high), high];
  };
  return { ...axis, splits, filter: (_, ticks) => ticks };
}

const spread = (values: readonly number[]): number => (values.at(-1) ?? 0) - (values[0] ?? 0);

const axisLook = (ink: string, grid: string): uPlot.Axis => ({
  stroke: ink,
  font: FONT,
  gap: 6,
  grid: { stroke: grid, width: 1 },
  ticks: { stroke: grid, width: 1, size: 5 },
});
