/** The loss curves of A and B, drawn by uPlot. It is given numbers only; see model/curve.ts. */

import uPlot from "uplot";
import { markEnds } from "./marks";
import { logTicks } from "./model/axis";
import type { Line } from "./model/curve";
import { formatStep, formatTick } from "./model/format";
import type { Range, Side, Step } from "./units";

/** What is drawn of one side. */
export type Drawing = {
  readonly side: Side;
  readonly line: Line;
  readonly colour: string;
  /** Where its first NaN or infinity is. */
  readonly gap: Step | null;
};

export type Picture = {
  readonly drawings: readonly Drawing[];
  readonly domain: Range;
  readonly range: Range;
  readonly log: boolean;
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

/** Draw a picture into an element; the caller destroys the chart. */
export function drawChart(
  root: HTMLElement,
  picture: Picture,
  onPlace: (place: Place) => void,
): uPlot {
  const { drawings, domain, range, log } = picture;
  const tables = drawings.map(({ line }) =>
    line.banded ? [line.steps, line.max, line.min] : [line.steps, line.max],
  );
  const data = tables.length > 0 ? uPlot.join(tables as uPlot.AlignedData[]) : [[], []];
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
      x: { time: false, range: [domain[0], domain[1]] },
      y: { distr: log ? 3 : 1, range: [range[0], range[1]] },
    },
    axes: [xAxis(picture), yAxis(picture)],
    series: [{}, ...drawings.flatMap(seriesOf)],
    bands: bandsOf(drawings),
    hooks: {
      ready: [place],
      setSize: [place],
      draw: [(chart) => markEnds(chart, picture)],
    },
  };
  return new uPlot(options, data as uPlot.AlignedData, root);
}

function seriesOf({ side, line, colour }: Drawing): uPlot.Series[] {
  const series = { stroke: colour, width: 2, dash: DASHES[side], spanGaps: false };
  return line.banded ? [series, series] : [series];
}

/** Where a curve was thinned out, what lies between its smallest and largest values is filled. */
function bandsOf(drawings: readonly Drawing[]): uPlot.Band[] {
  let series = 1;
  return drawings.flatMap(({ line, colour }) => {
    const first = series;
    series += line.banded ? 2 : 1;
    return line.banded
      ? [{ series: [first, first + 1] as [number, number], fill: translucent(colour) }]
      : [];
  });
}

const translucent = (colour: string): string =>
  colour.startsWith("#") ? `${colour}40` : "transparent";

function xAxis({ ink, grid }: Picture): uPlot.Axis {
  return {
    ...axisLook(ink, grid),
    size: 36,
    space: (_, __, ___, last) => Math.max(64, 28 + PIXELS_PER_DIGIT * formatStep(last).length),
    incrs: Array.from({ length: 13 }, (_, power) =>
      [1, 2, 5].map((one) => one * 10 ** power),
    ).flat(),
    values: (_, splits) => splits.map(formatStep),
  };
}

function yAxis({ ink, grid, range, log }: Picture): uPlot.Axis {
  const axis: uPlot.Axis = {
    ...axisLook(ink, grid),
    size: Y_AXIS_PIXELS,
    space: 36,
    values: (_, splits) => splits.map(formatTick),
  };
  // uPlot's own lines on a log axis run into one another over many decades.
  const ticks = logTicks(range);
  return log && ticks.length > 1 ? { ...axis, splits: () => ticks, filter: () => ticks } : axis;
}

const axisLook = (ink: string, grid: string): uPlot.Axis => ({
  stroke: ink,
  font: FONT,
  gap: 6,
  grid: { stroke: grid, width: 1 },
  ticks: { stroke: grid, width: 1, size: 5 },
});
