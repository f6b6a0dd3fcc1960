/** The landscape lane: the loss along the steps of the optimizer, on the axis of the curve. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { letGo } from "../../actions/pointer";
import { drawStrips, type StripInk } from "../../draw/strips";
import { type Axis, pixelOf } from "../../model/axis";
import { COLOURFUL } from "../../model/colours";
import { clamp } from "../../model/notes";
import {
  alphaWords,
  coverOf,
  headroomWords,
  pointedWords,
  sampleWords,
  steepest,
  stripAt,
  stripWords,
} from "../../model/strips";
import { formatValue } from "../../model/words";
import { across, axis, drawable, xAt } from "../../state/axis";
import { hearing } from "../../state/choices";
import { heardUnderPointer } from "../../state/heard";
import { alphaRead, STRIP_HEIGHT, scaleOf, stripsOf } from "../../state/landscape";
import { announcer, playheadStep, runWords } from "../../state/playing";
import { dark, forcedColours, manyRuns } from "../../state/runs";
import type { Side } from "../../units";
import { followPlayhead } from "../parts/frames";
import { look } from "./LayerLane";

/** Its keys are the timeline's, which hears those that are not taken here. */
export function StripLane({ side }: { side: Side }) {
  const root = useRef<HTMLDivElement>(null);
  const place = axis.value;
  const [strips, scale] = [stripsOf[side].value, scaleOf[side].value];
  if (!drawable.value || strips === null || scale === null) return null;
  const row = rowOf(scale.alphas, alphaRead.value);
  const move = (to: number) => {
    alphaRead.value = scale.alphas[clamp(to, 0, scale.alphas.length - 1)] ?? 0;
    say(side);
  };
  return (
    <div
      ref={root}
      class="heatmap strips"
      role="application"
      tabIndex={0}
      aria-roledescription="landscape"
      aria-label={`Loss landscape of ${runWords(side)}, ${row + 1} of ${scale.alphas.length}: ${alphaWords(scale.alphas[row] ?? 0)}`}
      aria-describedby={`strip-keys-${side}`}
      style={{ height: `${STRIP_HEIGHT}px` }}
      onFocus={({ currentTarget }) => {
        if (currentTarget.matches(":focus-visible")) say(side);
      }}
      onKeyDown={(event) => {
        const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
        const to = { ArrowUp: row + 1, ArrowDown: row - 1, Home: 0, End: scale.alphas.length }[
          event.key
        ];
        if (plain && to !== undefined) move(to);
        else if (plain && event.key === "Escape") {
          if (!letGo()) root.current?.closest<HTMLElement>(".timeline")?.focus();
        } else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerMove={(event) => {
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const [x, y] = [event.clientX - left - place.left, event.clientY - top];
        const inside = x >= 0 && x < place.width && event.pointerType === "mouse";
        heardUnderPointer.value = inside ? wordsUnder(side, x, y) : null;
      }}
      onPointerLeave={() => {
        heardUnderPointer.value = null;
      }}
    >
      <span class="letter" aria-hidden="true">
        {manyRuns.value && side.toUpperCase()}
      </span>
      <p id={`strip-keys-${side}`} class="hidden">
        Up and Down change how many steps ahead, Home and End go to the ends, Escape returns to the
        timeline; all other keys are the timeline’s.
      </p>
      <Alphas side={side} width={place.left} />
      <div class="plate" style={{ left: `${place.left}px`, width: `${place.width}px` }}>
        <Picture side={side} />
        <i class="row" style={{ top: `${scale.y(scale.alphas[row] ?? 0)}px` }} />
      </div>
      <Ball side={side} />
    </div>
  );
}

/** The row whose alpha is nearest to what the keys read. */
const rowOf = (alphas: readonly number[], wanted: number): number =>
  alphas.reduce(
    (best, alpha, at) =>
      Math.abs(alpha - wanted) < Math.abs((alphas[best] ?? 0) - wanted) ? at : best,
    0,
  );

/** The strip at the playhead. */
function here(side: Side): number {
  const strips = stripsOf[side].value;
  return strips === null ? -1 : stripAt(strips, across(playheadStep.value, hearing.value, side));
}

function say(side: Side): void {
  announcer.settle(() => {
    const strips = stripsOf[side].value;
    if (strips === null) return "";
    const words = sampleWords(strips, here(side), alphaRead.value);
    return alphaRead.value === 0 ? stripWords(strips, here(side)) : words;
  });
}

function wordsUnder(side: Side, x: number, y: number): string | null {
  const [strips, scale] = [stripsOf[side].value, scaleOf[side].value];
  if (strips === null || scale === null) return null;
  const row = scale.bands.findIndex(({ top, bottom }) => y >= top && y < bottom);
  const strip = coverOf(strips, Math.round(axis.value.width), pixelAt(side))[Math.floor(x)] ?? -1;
  const of = manyRuns.value ? `${side.toUpperCase()} · ` : "";
  return of + pointedWords(strips, strip, scale.alphas[Math.max(row, 0)] ?? 0);
}

/** From the left of the plot. */
const pixelAt = (side: Side) => {
  const place = axis.value;
  return (step: number) => pixelOf(place, xAt(side, step)) - place.left;
};

const LABEL_PIXELS = 11;

/** Left of the lane: how many steps ahead; 0 and 1 before all others. */
function Alphas({ side, width }: { side: Side; width: Axis["left"] }) {
  const scale = scaleOf[side].value;
  if (scale === null) return null;
  const [first, last] = [scale.alphas[0] ?? 0, scale.alphas.at(-1) ?? 0];
  const shown: number[] = [];
  for (const alpha of [0, last, first, 1, ...scale.alphas]) {
    const free = shown.every((each) => Math.abs(scale.y(each) - scale.y(alpha)) >= LABEL_PIXELS);
    if (free && scale.alphas.includes(alpha)) shown.push(alpha);
  }
  return (
    <ul class="pitches" aria-hidden="true" style={{ width: `${width - 6}px` }}>
      {shown.map((alpha) => (
        <li key={alpha} style={{ top: `${scale.y(alpha)}px` }}>
          {formatValue(alpha)}
          {alpha === last && <span class="unit"> steps</span>}
        </li>
      ))}
    </ul>
  );
}

function Picture({ side }: { side: Side }) {
  const cells = useRef<HTMLCanvasElement>(null);
  const lines = useRef<HTMLCanvasElement>(null);

  useSignalEffect(() => {
    const [strips, scale, place] = [stripsOf[side].value, scaleOf[side].value, axis.value];
    const canvases = [cells.current, lines.current] as const;
    void dark.value;
    if (strips === null || scale === null || canvases[0] === null || canvases[1] === null) return;
    const start = performance.now();
    const width = Math.round(place.width);
    const [scheme, patterns] = look(canvases[0]);
    const style = getComputedStyle(canvases[1]);
    const ink: StripInk = {
      line: forcedColours.value ? style.color : "#14161a",
      halo: forcedColours.value ? style.backgroundColor : "rgb(255 255 255 / 75%)",
      shades: scheme.differences,
      patterns,
      lined: forcedColours.value,
    };
    const picture = { strips, scale, width, height: STRIP_HEIGHT, pixelAt: pixelAt(side) };
    drawStrips(canvases[0], canvases[1], { ...picture, most: steepest(strips) }, ink);
    performance.measure("sonify:strips", { start, end: performance.now() });
  });

  return (
    <>
      <canvas ref={cells} />
      <canvas ref={lines} class="lines" />
    </>
  );
}

/** Where the weights are: at alpha 0, at the playhead; moved without anything being rendered again. */
function Ball({ side }: { side: Side }) {
  const element = useRef<HTMLElement>(null);

  useSignalEffect(() => {
    const [ball, place, scale] = [element.current, axis.value, scaleOf[side].value];
    if (ball === null || scale === null) return;
    const show = (step: number, sounding: Side) => {
      const x = pixelOf(place, xAt(side, across(step, sounding, side)));
      ball.hidden = x < place.left || x > place.left + place.width;
      ball.style.transform = `translate(${x.toFixed(1)}px, ${scale.y(0).toFixed(1)}px)`;
    };
    return followPlayhead(show);
  });

  return <b class="ball" ref={element} hidden />;
}

/** Beside the lane, in the head of the track: what it is, and what it has at the playhead. */
export function StripHead({ side }: { side: Side }) {
  const strips = stripsOf[side].value;
  if (!drawable.value || strips === null) return null;
  return (
    <div class="strip-head" style={{ height: `${STRIP_HEIGHT}px` }}>
      <p>
        <span>Landscape</span>
        <Headroom side={side} />
      </p>
      <ul aria-hidden="true">
        <li>
          <i
            class="scale"
            style={
              forcedColours.value
                ? {}
                : {
                    background: COLOURFUL.legend.differences.replace("90deg", "0deg"),
                  }
            }
          />
          loss above here
          <br />
          below here
        </li>
        <li>
          <i class="ridge" /> as here again
        </li>
        <li>
          <i class="floor" /> lowest
        </li>
      </ul>
    </div>
  );
}

/** A component of its own: it follows the playhead. */
function Headroom({ side }: { side: Side }) {
  const strips = stripsOf[side].value;
  const strip = here(side);
  if (strips === null || strip < 0) return null;
  return <span class="number">{headroomWords(strips, strip)}</span>;
}
