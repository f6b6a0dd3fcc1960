/** The curves on a canvas: chart, marks and the small traces of the overview. */

import type uPlot from "uplot";
import { type Axis, formatX, incrementsOf, logTicks, type Measure, pixelOf } from "../model/axis";
import { type Line, rangeOf } from "../model/curve";
import { clamp, lastNotAfter } from "../model/notes";
import { formatTick } from "../model/words";
import type { Range, Side } from "../units";

/** What is drawn of one run. */
export type Drawing = {
  /** Null: it is neither A nor B, and drawn thinly behind them. */
  readonly side: Side | null;
  readonly line: Line;
  readonly colour: string;
  /** Where on the x axis its first NaN or infinity is. */
  readonly gap: number | null;
};

export type ChartPicture = {
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
  picture: ChartPicture,
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
export function showRange(chart: uPlot, { drawings, log }: ChartPicture, [min, max]: Range): void {
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

function xAxis({ ink, grid, measure }: ChartPicture): uPlot.Axis {
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

function yAxis({ ink, grid, log }: ChartPicture): uPlot.Axis {
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

type Point = { readonly x: number; readonly y: number };

const RADIUS = 9;
const DOT_RADIUS = 4;
const MARK_FONT = "Roboto, system-ui, sans-serif";

const PALE = 0.45;

/** To be called before A and B are drawn: the other runs, of which there may be many. */
export function drawBehind(chart: uPlot, { drawings }: ChartPicture): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = PALE;
  ctx.lineWidth = devicePixelRatio;
  for (const drawing of drawings) {
    if (drawing.side === null) trace(chart, drawing);
  }
  ctx.restore();
}

function trace(chart: uPlot, { line, colour }: Drawing): void {
  const { ctx } = chart;
  const [from, to] = rangeSeen(chart);
  const { xs, max, smooth } = line;
  const values = smooth ?? max;
  const last = Math.min(xs.length - 1, lastNotAfter(xs, to, xs.length) + 1);
  let drawing = false;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (let at = Math.max(0, lastNotAfter(xs, from, xs.length)); at <= last; at++) {
    const value = values[at] ?? null;
    if (value !== null) {
      const x = chart.valToPos(xs[at] ?? 0, "x", true);
      const y = chart.valToPos(value, "y", true);
      if (drawing) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
    }
    drawing = value !== null;
  }
  ctx.stroke();
}

/** To be called when the chart is drawn: colour alone must not tell A from B. */
export function markEnds(chart: uPlot, picture: ChartPicture): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  let taken: Point | null = null;
  ctx.save();
  ctx.setLineDash([]); // uPlot leaves the dashes of its last series behind
  const [from, to] = rangeSeen(chart);
  for (const { side, gap, ...drawing } of picture.drawings) {
    if (side === null) continue;
    const letter = picture.lettered ? side.toUpperCase() : "";
    if (gap !== null && gap >= from && gap <= to) {
      const words = letter === "" ? "not a number" : `${letter}: not a number`;
      markGap(chart, { words, line: side === "a" ? 2 : 17 }, drawing.colour, gap, ratio);
    }
    const end = endOf(chart, drawing.line);
    if (end === null) continue;
    const point = besides(held(chart, end, ratio), taken, ratio);
    taken = point;
    drawBadge(ctx, point, letter, drawing.colour, picture.card, ratio);
  }
  ctx.restore();
}

function drawBadge(
  ctx: CanvasRenderingContext2D,
  { x, y }: Point,
  letter: string,
  colour: string,
  card: string,
  ratio: number,
) {
  ctx.beginPath();
  ctx.arc(x, y, (letter === "" ? DOT_RADIUS : RADIUS) * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 2 * ratio;
  ctx.strokeStyle = card;
  ctx.stroke();
  ctx.fillStyle = card;
  ctx.font = `bold ${11 * ratio}px ${MARK_FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(letter, x, y + 0.5 * ratio);
}

function markGap(
  chart: uPlot,
  { words, line }: { readonly words: string; readonly line: number },
  colour: string,
  gap: number,
  ratio: number,
): void {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(gap, "x", true);
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = colour;
  ctx.font = `bold ${11 * ratio}px ${MARK_FONT}`;
  ctx.textBaseline = "top";
  // To the left where there is no room to the right; B one line lower, as both may fail together.
  ctx.textAlign = x > bbox.left + bbox.width - 60 * ratio ? "right" : "left";
  const gapX = (ctx.textAlign === "left" ? 4 : -4) * ratio;
  ctx.fillText(words, x + gapX, bbox.top + line * ratio);
}

/** The last point of a line that is seen. */
function endOf(chart: uPlot, { xs, max, smooth }: Drawing["line"]): Point | null {
  const values = smooth ?? max;
  const [from, to] = rangeSeen(chart);
  let at = lastNotAfter(xs, to, xs.length);
  while (at >= 0 && (values[at] ?? null) === null) at--;
  const [x, y] = [xs[at], values[at]];
  if (x === undefined || y === undefined || y === null || x < from) return null;
  return { x: chart.valToPos(x, "x", true), y: chart.valToPos(y, "y", true) };
}

function held(chart: uPlot, { x, y }: Point, ratio: number): Point {
  const { top, height } = chart.bbox;
  const room = RADIUS * ratio;
  return { x, y: Math.max(top + room, Math.min(top + height - room, y)) };
}

function besides(point: Point, taken: Point | null, ratio: number): Point {
  const reach = 2.2 * RADIUS * ratio;
  if (taken === null || Math.hypot(point.x - taken.x, point.y - taken.y) >= reach) return point;
  return { x: taken.x - reach, y: point.y };
}

const HEIGHT = 34; // CSS pixels
const EDGE = 2;
const TRACE_PALE = 0.45;

/** Draw curves over the width of an axis, and as high as their range. */
export function traceAll(
  canvas: HTMLCanvasElement,
  axis: Axis,
  drawings: readonly Drawing[],
  range: Range,
  log: boolean,
): void {
  const ratio = devicePixelRatio;
  canvas.width = Math.round(axis.width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scaled = log ? Math.log : (value: number) => value;
  const [low, high] = [scaled(range[0]), scaled(range[1])];
  context.scale(ratio, ratio);
  for (const { line, colour, side } of drawings) {
    const values = line.smooth ?? line.max;
    context.strokeStyle = colour;
    context.globalAlpha = side === null ? TRACE_PALE : 1;
    context.setLineDash(side === "b" ? [4, 2] : []);
    context.beginPath();
    line.xs.forEach((x, at) => {
      const value = values[at] ?? null;
      if (value === null) return;
      const up = clamp((scaled(value) - low) / (high - low), 0, 1);
      const y = HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE);
      const to = pixelOf(axis, x) - axis.left;
      if ((values[at - 1] ?? null) === null) context.moveTo(to, y);
      else context.lineTo(to, y);
    });
    context.stroke();
  }
}
