/** The heard lane: what sounds of a run, on the axis of the curve; pitch, texture, earcons. */

import { computed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Source } from "../../audio/clips";
import { type Drawn, drawHeard, type HeardInk, type HeardPicture } from "../../draw/heard";
import { type Axis, pixelOf } from "../../model/axis";
import {
  columnOf,
  EARCONS,
  heardWords,
  pitchY,
  reachOf,
  type StreamBand,
  streamBands,
  streamWords,
} from "../../model/heard";
import { lastNotAfter, noteAtStep, type Span } from "../../model/notes";
import { across, axis, drawable, seen, xAt } from "../../state/axis";
import { hearing, listening } from "../../state/choices";
import { columnEdges, heardOf, heardUnderPointer, mutedOf, valuedOf } from "../../state/heard";
import {
  coverageOf,
  coverages,
  heardHeight,
  noteQueries,
  playedOf,
  sources,
} from "../../state/hearing";
import { player, runWords } from "../../state/playing";
import { dark, forcedColours, lineColours, manyRuns, nonNull } from "../../state/runs";
import { SIDES, type Side, type Step } from "../../units";
import { followPlayhead } from "../parts/frames";

export function HeardLane({ side }: { side: Side }) {
  const place = axis.value;
  const height = heardHeight(side);
  // Its place is kept, so that nothing moves when it comes.
  if (!drawable.value) return <div class="heard-lane" style={{ height: `${height}px` }} />;
  const played = playedOf(side);
  const sounds = hearing.value === side || listening.value !== "one";
  return (
    <div
      class={sounds ? "heard-lane sounds" : "heard-lane"}
      role="img"
      aria-label={laneWords(side)}
      style={{ "--line": lineColours[side].value, height: `${height}px` }}
    >
      <span class="letter" aria-hidden="true">
        {manyRuns.value && side.toUpperCase()}
      </span>
      <Pitches side={side} place={place} />
      <Plate side={side} place={place}>
        {played?.source.spans.map((span) => (
          <Veil key={span.firstNote} on={played.on} source={played.source} span={span} />
        ))}
        {(["sampled", "missing"] as const).flatMap((kind) =>
          (coverages[side].value?.[kind] ?? []).map(([from, to]) => (
            <i key={`${kind} ${from}`} class={kind} style={extent(side, from, to)} />
          )),
        )}
        {coverageOf(noteQueries[side].value) !== null && played === null && (
          <span class="none">nothing to hear</span>
        )}
      </Plate>
    </div>
  );
}

/** What is heard of a side, for who cannot see it. */
function laneWords(side: Side): string {
  const streams = heardOf[side].value?.heard.streams ?? [];
  const bands = streams.map(
    (stream) => `${stream.name ?? streamWords(stream)} ${stream.hzAt1.toFixed(0)} Hz`,
  );
  const norms = valuedOf(side).scale === null && bands.length > 0;
  const tones = norms ? `, norm 1 at: ${bands.join(", ")}` : "";
  return `What is heard of ${runWords(side)}${tones}`;
}

/** How many semitones the bands of both sides reach up and down. */
const reach = computed(() =>
  reachOf(nonNull(SIDES.map((side) => heardOf[side].value?.heard ?? null))),
);

const bandsOf = (side: Side): StreamBand[] =>
  streamBands(heardOf[side].value?.heard.streams.length ?? 0, heardHeight(side), reach.value);

const LABELLED = 11; // pixels that a band must have to be named

/** The pitch of norm 1, left of each band. */
function Pitches({ side, place }: { side: Side; place: Axis }) {
  const streams = heardOf[side].value?.heard.streams ?? [];
  const bands = bandsOf(side);
  if (heardHeight(side) / Math.max(bands.length, 1) < LABELLED) return null;
  return (
    <ul class="pitches" aria-hidden="true" style={{ width: `${place.left - 6}px` }}>
      {bands.map(({ middle }, stream) => (
        <li
          key={streams[stream]?.layers[0]}
          class={mutedOf(side).has(stream) ? "muted" : ""}
          style={{ top: `${middle}px` }}
        >
          {streams[stream]?.hzAt1.toFixed(0)} Hz
        </li>
      ))}
    </ul>
  );
}

type PlateProps = {
  readonly side: Side;
  readonly place: Axis;
  readonly children: preact.ComponentChildren;
};

function Plate({ side, place, children }: PlateProps) {
  const say = (words: string | null) => {
    const of = manyRuns.value ? `${side.toUpperCase()} · ` : "";
    heardUnderPointer.value = words === null ? null : `${of}${words}`;
  };
  return (
    <div
      class="blocks"
      aria-hidden="true"
      style={{ left: `${place.left}px`, width: `${place.width}px` }}
      onPointerMove={(event) => {
        const { left, top } = event.currentTarget.getBoundingClientRect();
        say(wordsUnder(side, place, event.clientX - left, event.clientY - top));
      }}
      onPointerLeave={() => say(null)}
    >
      <Canvas side={side} />
      {children}
      <Dots side={side} />
    </div>
  );
}

/** "Late layers: 871 Hz, norm 0.85", of what is drawn at a pixel of a lane. */
function wordsUnder(side: Side, place: Axis, x: number, y: number): string | null {
  const shown = heardOf[side].value;
  if (shown === null) return null;
  const { heard } = shown;
  const at = place.from + (x / place.width) * (place.to - place.from);
  const edges = columnEdges[side].value;
  const column = Math.min(lastNotAfter(edges, at, edges.length), heard.columns - 1);
  const size = heard.streams.length;
  const stream = Math.min(
    size - 1,
    Math.max(0, size - 1 - Math.floor((y / heardHeight(side)) * size)),
  );
  return column < 0 || size === 0 ? null : heardWords(heard, column, stream, valuedOf(side));
}

/** What is drawn, for whoever compares it with what sounds, from outside. */
type Probe = HTMLCanvasElement & { drawn?: Drawn & { readonly picture: HeardPicture } };

function Canvas({ side }: { side: Side }) {
  const canvas = useRef<Probe>(null);

  useSignalEffect(() => {
    const element = canvas.current;
    const place = axis.value;
    const shown = heardOf[side].value;
    // Its colours are in the style sheet, which changes with these.
    void dark.value;
    void forcedColours.value;
    if (element === null) return;
    const start = performance.now();
    const [width, height] = [Math.round(place.width), heardHeight(side)];
    const density = window.devicePixelRatio;
    element.width = Math.round(width * density);
    element.height = Math.round(height * density);
    const context = element.getContext("2d");
    if (context === null || shown === null) return;
    context.setTransform(density, 0, 0, density, 0, 0);
    const scale = place.width / (place.to - place.from);
    const edges = columnEdges[side].value.map((x) => (x - place.from) * scale);
    const bands = bandsOf(side);
    const ink = inkOf(element, lineColours[side].value, bands.length);
    const { heard } = shown;
    const muted = mutedOf(side);
    const picture = { heard, bands, edges, width, height, muted, ink };
    element.drawn = { ...drawHeard(context, picture), picture };
    performance.measure("sonify:heard", { start, end: performance.now() });
  });

  return <canvas ref={canvas} />;
}

const SHADE = 0.45; // of the ink, in the lowest stream

/** Streams are shades of the run's colour, the lowest one next to that of words. */
function inkOf(element: HTMLElement, line: string, streams: number): HeardInk {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const shade = (stream: number) =>
    Math.round((100 * SHADE * (streams - 1 - stream)) / Math.max(streams - 1, 1));
  const names = Array.from({ length: streams }, (_, stream) =>
    shade(stream) === 0
      ? line
      : `color-mix(in srgb, ${colour("--ink")} ${shade(stream)}%, ${line})`,
  );
  return {
    streams: names,
    ink: colour("--ink"),
    quiet: colour("--ink-2"),
    alarm: colour("--alarm"),
    grid: colour("--rule"),
    ground: colour("--card"),
    font: `11px ${style.fontFamily}`,
  };
}

/** What sounds at the playhead; moved without anything being rendered again. */
function Dots({ side }: { side: Side }) {
  const root = useRef<HTMLDivElement>(null);
  const streams = heardOf[side].value?.heard.streams.length ?? 0;

  useSignalEffect(() => {
    const [element, place, shown] = [root.current, axis.value, heardOf[side].value];
    if (element === null || shown === null) return;
    const [bands, muted] = [bandsOf(side), mutedOf(side)];
    const alone = listening.value !== "both";
    const show = (step: Step, sounding: Side) => {
      const { heard, source, on } = shown;
      const own = across(step, sounding, on);
      const column = columnOf(heard, noteAtStep(source.timeline, own));
      const x = pixelOf(place, xAt(on, own)) - place.left;
      const hidden = (alone && sounding !== side) || column < 0 || x < 0 || x > place.width;
      [...element.children].forEach((dot, stream) => {
        if (!(dot instanceof HTMLElement)) return;
        const hz = heard.mean[column * heard.streams.length + stream] ?? Number.NaN;
        const band = bands[stream];
        const silent = hidden || Number.isNaN(hz) || band === undefined || muted.has(stream);
        dot.hidden = silent;
        if (silent) return;
        const y = pitchY(band, hz, heard.streams[stream]);
        dot.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      });
    };
    element.classList.toggle("playing", player.transport.value.state !== "paused");
    return followPlayhead(show);
  });

  return (
    <div class="dots" ref={root}>
      {Array.from({ length: streams }, (_, stream) => (
        <i key={stream} hidden />
      ))}
    </div>
  );
}

/** Says by how pale it is whether a clip is here. */
function Veil({ on, source, span }: { on: Side; source: Source; span: Span }) {
  void player.clips.changes.value;
  const { steps } = source.timeline;
  const from = steps[span.firstNote] ?? 0;
  const to = steps[span.firstNote + span.notes] ?? from;
  const state = player.clips.stateOf({ source, span });
  return <i class={span.open ? `${state} open` : state} style={extent(on, from, to)} />;
}

/** In percent of the plot, so that nothing needs drawing again when it is resized. */
function extent(side: Side, from: Step, to: Step) {
  const [first, last] = seen.value;
  const percent = (step: Step) => (100 * (xAt(side, step) - first)) / (last - first);
  return { left: `${percent(from)}%`, width: `${percent(to) - percent(from)}%` };
}

/** What the shades and the glyphs of the lanes mean; those that are there. */
export function HeardLegend() {
  const spans = SIDES.flatMap((side) => sources[side].value?.spans ?? []);
  const some = (kind: "missing" | "sampled") =>
    SIDES.some((side) => (coverages[side].value?.[kind].length ?? 0) > 0);
  if (spans.length === 0) return null;
  return (
    <ul class="shades heard" aria-hidden="true">
      {[...glyphsShown()].map((name) => (
        <li key={name}>
          <Glyph name={name} />
          {EARCONS[name]?.meaning}
        </li>
      ))}
      <Shade kind="here" words="loaded" />
      <Shade kind="loading" words="loading" />
      <Shade kind="away" words="loads when needed" />
      {spans.some(({ open }) => open) && <Shade kind="here open" words="may still grow" />}
      {some("sampled") && <Shade kind="sampled" words="a sample of the points" />}
      {some("missing") && <Shade kind="missing" words="cannot be read" />}
    </ul>
  );
}

/** Names of the earcons that sound in any lane. */
function glyphsShown(): string[] {
  const bits = SIDES.flatMap((side) => [...(heardOf[side].value?.heard.earcons ?? [])]);
  const all = bits.reduce((sum, each) => sum | each, 0);
  const names = SIDES.map((side) => heardOf[side].value?.heard.names).find(Boolean) ?? [];
  return Object.keys(EARCONS).filter((name) => (all >> names.indexOf(name)) & 1);
}

/** An earcon as it is drawn in a lane. */
export function Glyph({ name }: { name: string }) {
  const earcon = EARCONS[name];
  if (earcon === undefined) return null;
  return (
    <svg class={`glyph ${earcon.drawn} ${earcon.tone}`} viewBox="-6 -6 12 12" aria-hidden="true">
      <path d={earcon.path} />
    </svg>
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
