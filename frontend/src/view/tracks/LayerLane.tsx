/** The lane of layers: one picture of layers over steps, with its rows named. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { keymap } from "../../actions/commands";
import {
  focusRow,
  laneName,
  moveRow,
  pointed,
  sayRow,
  soloRow,
  toggleModule,
  wordsHere,
} from "../../actions/layers";
import { letGo } from "../../actions/pointer";
import { COLOURFUL, plain, type Rgb, type Scheme } from "../../model/colours";
import { type Patterns, paint, shade, shadeDifference } from "../../model/heatmap";
import { chordOf } from "../../model/keys";
import { bandsOf, laneHeight, type Row, rowAt, rowEdges } from "../../model/layers";
import { pixelEdges, pool } from "../../model/norms";
import { shownName } from "../../model/words";
import { axis, drawable, stepAt } from "../../state/axis";
import { layerFilter } from "../../state/choices";
import {
  decades,
  focusedIndex,
  heatmaps,
  isClosed,
  type Lane,
  type LanePicture,
  pair,
  rows,
} from "../../state/layers";
import { dark, forcedColours, manyRuns } from "../../state/runs";
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
    if (element === null || drawn === undefined) return;
    const scale = (drawn.to - drawn.from) / (seen.to - seen.from);
    const shift = (drawn.from - seen.from) / (seen.to - seen.from);
    element.style.transform =
      scale === 1 && shift === 0 ? "" : `translateX(${100 * shift}%) scaleX(${scale})`;
  });

  return <canvas ref={canvas} />;
}

const pictureOf = (lane: Lane): LanePicture | null =>
  lane === "difference" ? (pair.value?.a ?? null) : heatmaps[lane].value;

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
  const pooled = (side: Side, { heatmap, axis }: LanePicture) =>
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
  zero: [232, 222, 219],
  ground: [255, 255, 255],
};
const DARK: Patterns = {
  nan: [255, 180, 171],
  inf: [255, 255, 255],
  alone: [160, 160, 160],
  zero: [66, 52, 50],
  ground: [40, 40, 40],
};

/** Colours of what is painted on a canvas, in light, dark and forced colours. */
export function look(canvas: HTMLCanvasElement): [Scheme, Patterns] {
  const usual = dark.value ? DARK : LIGHT;
  if (!forcedColours.value) return [COLOURFUL, usual];
  const { color, backgroundColor, borderColor } = getComputedStyle(canvas);
  const [ink, ground, mark] = [color, backgroundColor, borderColor].map(rgbOf);
  if (ink === undefined || ground === undefined || mark === undefined) return [COLOURFUL, usual];
  return [
    plain(ground, ink),
    { nan: mark, inf: ink, alone: ink, zero: mixed(ground, ink), ground },
  ];
}

/** A little of the one colour in the other. */
const mixed = ([red, green, blue]: Rgb, [r, g, b]: Rgb): Rgb => [
  Math.round(0.85 * red + 0.15 * r),
  Math.round(0.85 * green + 0.15 * g),
  Math.round(0.85 * blue + 0.15 * b),
];

/** A colour as browsers compute it: "rgb(1, 2, 3)". */
function rgbOf(css: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (css.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

const LABELLED = 11; // pixels that a row must have to be named

type Props = { readonly rows: readonly Row[]; readonly edges: Float64Array };

export function RowLabels({ lane, rows, edges }: Props & { readonly lane: Lane }) {
  const focused = focusedIndex(lane);
  const plain = focused === 0 ? 1 : 0;
  const tall = (edges[plain + 1] ?? edges[1] ?? 0) - (edges[plain] ?? 0) >= LABELLED;
  const shown = rows
    .map((row, at) => ({ row, at }))
    .filter(({ at }) => tall || at === focused || rows.length === 1);
  return (
    <ul class="names" aria-hidden="true">
      {shown.map(({ row, at }) => (
        <li
          key={row.key}
          class={at === focused ? "focused" : ""}
          style={{ top: `${edges[at]}px`, height: `${(edges[at + 1] ?? 0) - (edges[at] ?? 0)}px` }}
        >
          <span class="name" dir="auto">
            {shownName(row.name)}
          </span>
          {row.layers.length > 1 && <span>({row.layers.length} layers)</span>}
          {at === focused && <NormHere lane={lane} row={row} />}
        </li>
      ))}
    </ul>
  );
}

/** A component of its own: it follows the playhead. */
function NormHere({ lane, row }: { lane: Lane; row: Row }) {
  return <span class="number">{wordsHere(lane, row)}</span>;
}

/** Which rows are of one module, beside them. */
export function RowModules({ rows, edges, width }: Props & { readonly width: number }) {
  const spans: { module: string; from: number; to: number }[] = [];
  rows.forEach(({ module }, at) => {
    const last = spans.at(-1);
    if (module === null) return;
    if (last?.module === module && last.to === at) last.to = at + 1;
    else spans.push({ module, from: at, to: at + 1 });
  });
  return (
    <div class="spans" style={{ width: `${Math.max(0, width - 22)}px` }} aria-hidden="true">
      {spans.map(({ module, from, to }) => {
        const [top, bottom] = [edges[from] ?? 0, edges[to] ?? 0];
        return (
          <span
            key={module}
            class={isClosed(module) ? "closed" : "open"}
            style={{ top: `${top}px`, height: `${bottom - top}px` }}
            title={module}
          >
            {bottom - top >= LABELLED && module.split(".").slice(-2).join(".")}
          </span>
        );
      })}
    </div>
  );
}

/** Its keys are the timeline's, which hears those that are not taken here. */
export function LayerLane({ lane }: { lane: Lane }) {
  const root = useRef<HTMLDivElement>(null);
  const place = axis.value;
  const own = rows[lane].value;
  if (!drawable.value) return null;
  const edges = rowEdges(own.length, focusedIndex(lane));
  const under = ({ clientX, clientY }: MouseEvent): { row: Row | undefined; x: number } => {
    const { left, top } = root.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { row: own[rowAt(edges, clientY - top)], x: clientX - left - place.left };
  };
  /** Beside the plot, a click is for the module there. */
  const beside = (event: MouseEvent): string | null => {
    const { row, x } = under(event);
    if (x < 0) event.stopPropagation();
    return x < 0 ? (row?.module ?? null) : null;
  };
  return (
    <div
      ref={root}
      class={`heatmap ${lane}`}
      role="application"
      tabIndex={0}
      aria-roledescription="heat-map"
      aria-label={laneName(lane)}
      aria-describedby="lane-keys"
      style={{ height: `${laneHeight(own.length)}px` }}
      onFocus={(event) => {
        const [first] = own;
        if (!event.currentTarget.matches(":focus-visible") || first === undefined) return;
        if (focusedIndex(lane) < 0) focusRow(first);
        sayRow(lane);
      }}
      onKeyDown={(event) => {
        const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
        if (plain && event.key === "ArrowUp") moveRow(lane, -1);
        else if (plain && event.key === "ArrowDown") moveRow(lane, 1);
        else if (plain && event.key === "Home") moveRow(lane, Number.NEGATIVE_INFINITY);
        else if (plain && event.key === "End") moveRow(lane, Number.POSITIVE_INFINITY);
        else if (plain && event.key === "Escape") {
          if (!letGo()) root.current?.closest<HTMLElement>(".timeline")?.focus();
        } else if (keymap.value.get(chordOf(event) ?? "") === "soloHere") soloRow(lane);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        beside(event);
        const { row, x } = under(event);
        if (event.pointerType === "mouse" && x >= 0 && row !== undefined) focusRow(row);
      }}
      onClick={(event) => {
        const module = beside(event);
        const { row, x } = under(event);
        if (module !== null) toggleModule(module);
        else if (event.detail > 0 && x >= 0 && row !== undefined) focusRow(row);
      }}
      onDblClick={beside}
      onPointerMove={(event) => {
        if (event.pointerType !== "mouse") return;
        const { row, x } = under(event);
        const pixel = Math.floor(x);
        const last = pointed.peek();
        if (row === undefined || x < 0 || x >= place.width) pointed.value = null;
        else if (last?.row.key !== row.key || last.pixel !== pixel || last.lane !== lane) {
          pointed.value = { lane, row, pixel };
        }
      }}
      onPointerLeave={() => {
        pointed.value = null;
      }}
    >
      <span class="letter" aria-hidden="true">
        {lane === "difference" ? "A∕B" : manyRuns.value && lane.toUpperCase()}
      </span>
      <RowModules rows={own} edges={edges} width={place.left} />
      <div class="plate" style={{ left: `${place.left}px`, width: `${place.width}px` }}>
        <LaneCanvas lane={lane} />
        <RowLabels lane={lane} rows={own} edges={edges} />
        {own.length === 0 && layerFilter.value.trim() !== "" && (
          <p class="none">No layer has “{layerFilter.value.trim()}” in its name.</p>
        )}
      </div>
    </div>
  );
}
