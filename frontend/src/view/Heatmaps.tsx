/** Layers over steps as colours, one lane for A and one for B, on one colour scale. */

import { computed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { axis } from "../axes";
import { heatmapShelf } from "../data";
import { heatmapKeyOf } from "../lanes";
import type { Heatmap } from "../model/answers";
import { type Colours, decadesOf, GRADIENT, paint } from "../model/heatmap";
import { dark, forcedColours, runOf } from "../store";
import { SIDES, type Side } from "../units";

const MOST_PIXELS = 160; // of a lane
const LEAST_PIXELS = 24;
const PIXELS_PER_LAYER = 14;
const LABELLED = 11; // pixels that a layer must have to be named

const shown = computed(() =>
  SIDES.flatMap((side) => {
    const heatmap = heatmapOf(side);
    return heatmap === null ? [] : [heatmap];
  }),
);
const decades = computed(() => decadesOf(shown.value));

export function Heatmaps() {
  if (shown.value.length === 0) return null;
  return (
    <div class="heatmaps" aria-hidden="true">
      {SIDES.map((side) => runOf(side)?.hasNorms && <Lane key={side} side={side} />)}
      <p class="shades scale">
        Largest norm, layers from first to last: 1e{decades.value[0]}
        <i style={{ background: GRADIENT }} /> 1e{decades.value[1]}, NaN <i class="hatch nan" /> Inf{" "}
        <i class="hatch inf" />
      </p>
    </div>
  );
}

function Lane({ side }: { side: Side }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const place = axis.value;
  const heatmap = heatmapOf(side);
  const layers = heatmap?.layers ?? [];
  const height = Math.max(LEAST_PIXELS, Math.min(MOST_PIXELS, PIXELS_PER_LAYER * layers.length));

  useSignalEffect(() => {
    const element = canvas.current;
    const picture = heatmapOf(side);
    const width = Math.round(axis.value?.width ?? 0);
    void dark.value;
    void forcedColours.value;
    if (element === null || picture === null || width === 0) return;
    draw(element, width, picture);
  });

  if (place === null) return null;
  const perLayer = height / Math.max(layers.length, 1);
  return (
    <div class="heatmap" style={{ height: `${height}px` }}>
      <span class="letter" style={{ width: `${place.left - 8}px` }}>
        {side.toUpperCase()}
      </span>
      {perLayer < LABELLED && <span class="layers">{layers.length} layers</span>}
      <canvas ref={canvas} style={{ left: `${place.left}px`, width: `${place.width}px` }} />
      {perLayer >= LABELLED && (
        <ul class="names" style={{ left: `${place.left}px` }}>
          {layers.map((layer) => (
            <li key={layer} class="name" dir="auto" style={{ height: `${perLayer}px` }}>
              {layer}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, width: number, heatmap: Heatmap): void {
  const start = performance.now();
  const height = Math.max(
    LEAST_PIXELS,
    Math.min(MOST_PIXELS, PIXELS_PER_LAYER * heatmap.layers.length),
  );
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  paint(pixels, width, height, heatmap, decades.value, colours());
  context.putImageData(image, 0, 0);
  performance.measure("sonify:heatmap", { start, end: performance.now() });
}

const colours = (): Colours =>
  dark.value
    ? { nan: [255, 180, 171], inf: [255, 255, 255], ground: [40, 40, 40] }
    : { nan: [179, 38, 30], inf: [20, 20, 20], ground: [255, 255, 255] };

function heatmapOf(side: Side): Heatmap | null {
  const key = heatmapKeyOf(side);
  return key === null ? null : heatmapShelf.get(key).value;
}
