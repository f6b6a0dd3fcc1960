/** The picture in a lane; painted anew when what it shows changes, stretched while that is asked for. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type Patterns, paint, shade, shadeDifference } from "../../model/heatmap";
import { pixelEdges, pool } from "../../model/pool";
import { bandsOf, laneHeight, rowEdges } from "../../model/rows";
import { COLOURFUL, plain, type Rgb, type Scheme } from "../../model/shades";
import { axis, stepAt } from "../../state/axes";
import {
  decades,
  focusedIndex,
  type Lane,
  type Picture,
  pair,
  pictures,
  rows,
} from "../../state/layers";
import { dark, forcedColours } from "../../state/store";
import type { Side } from "../../units";

/** How many doublings from the middle of the scale of differences to its ends. */
export const MOST_DOUBLINGS = 3;

export function LaneCanvas({ lane }: { lane: Lane }) {
  const canvas = useRef<HTMLCanvasElement>(null);

  useSignalEffect(() => {
    const element = canvas.current;
    if (element !== null) draw(element, lane);
  });

  useSignalEffect(() => {
    const element = canvas.current;
    const [seen, drawn] = [axis.value, pictureOf(lane)?.axis];
    if (element === null || seen === null || drawn === undefined) return;
    const scale = (drawn.to - drawn.from) / (seen.to - seen.from);
    const shift = (drawn.from - seen.from) / (seen.to - seen.from);
    element.style.transform =
      scale === 1 && shift === 0 ? "" : `translateX(${100 * shift}%) scaleX(${scale})`;
  });

  return <canvas ref={canvas} />;
}

const pictureOf = (lane: Lane): Picture | null =>
  lane === "difference" ? (pair.value?.a ?? null) : pictures[lane].value;

function draw(canvas: HTMLCanvasElement, lane: Lane): void {
  const picture = pictureOf(lane);
  const own = rows[lane].value;
  const edges = rowEdges(own.length, focusedIndex(lane));
  const bands = bandsOf(own, edges);
  const [scheme, patterns] = look(canvas);
  const start = performance.now();
  const width = Math.round(picture?.axis.width ?? 0);
  canvas.width = width;
  canvas.height = laneHeight(own.length);
  const context = canvas.getContext("2d");
  if (context === null || picture === null || width === 0) return;
  const pooled = (side: Side, { heatmap, axis }: Picture) =>
    pool(
      heatmap,
      bands.map(({ layers }) => layers),
      pixelEdges([axis.from, axis.to], width, (x) => stepAt(side, x)),
    );
  const cells =
    lane === "difference" && pair.value !== null
      ? shadeDifference(
          pooled("a", pair.value.a),
          pooled("b", pair.value.b),
          MOST_DOUBLINGS,
          scheme.differences,
          forcedColours.value,
        )
      : shade(pooled(lane === "b" ? "b" : "a", picture), decades.value, scheme.norms);
  const image = context.createImageData(width, canvas.height);
  paint(new Uint32Array(image.data.buffer), width, bands, cells, patterns);
  context.putImageData(image, 0, 0);
  performance.measure("sonify:heatmap", { start, end: performance.now() });
}

const LIGHT: Patterns = {
  nan: [179, 38, 30],
  inf: [20, 20, 20],
  alone: [110, 110, 110],
  ground: [255, 255, 255],
};
const DARK: Patterns = {
  nan: [255, 180, 171],
  inf: [255, 255, 255],
  alone: [160, 160, 160],
  ground: [40, 40, 40],
};

function look(canvas: HTMLCanvasElement): [Scheme, Patterns] {
  const usual = dark.value ? DARK : LIGHT;
  if (!forcedColours.value) return [COLOURFUL, usual];
  const { color, backgroundColor, borderColor } = getComputedStyle(canvas);
  const [ink, ground, mark] = [color, backgroundColor, borderColor].map(rgbOf);
  if (ink === undefined || ground === undefined || mark === undefined) return [COLOURFUL, usual];
  return [plain(ground, ink), { nan: mark, inf: ink, alone: ink, ground }];
}

/** A colour as browsers compute it: "rgb(1, 2, 3)". */
function rgbOf(css: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (css.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
