/** The whole axis in small, with the part that is seen to drag; and the position as a slider. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { moveTo, stopAtPlayhead, stopSteps } from "../../actions/moving";
import { CLICK_PIXELS, playAt } from "../../actions/pointer";
import { zoomTo } from "../../actions/zoom";
import { drawOverview } from "../../draw/plot";
import { type Axis, type Grip, gripAt, pixelOf, pulled, xOf } from "../../model/axis";
import { describePlace } from "../../model/landmarks";
import { formatStep } from "../../model/words";
import { axis, domain, laidOut, plotted, seen, steps, yWhole } from "../../state/axis";
import { viewport } from "../../state/choices";
import { isPlaying, placeHere } from "../../state/playing";

/** What was taken hold of where; `moved` tells a drag from a click. */
type Pull = { grip: Grip; at: number; x: number; moved: boolean };

export function Overview() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pull = useRef<Pull | null>(null);
  const part = useSignal<Grip["part"]>("outside");
  const { from, to, left, width } = wholeAxis();

  useSignalEffect(() => {
    const whole = wholeAxis();
    if (canvas.current !== null) drawOverview(canvas.current, whole, yWhole.value, plotted.value);
  });

  const whole = { from, to, left: 0, width };
  const edges = seen.value.map((x) => pixelOf(whole, x));
  const [start, end] = [edges[0] ?? 0, edges[1] ?? width];
  const pixel = (event: MouseEvent & { currentTarget: HTMLElement }) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const partAt = (at: number) => gripAt([start, end], at, viewport.value !== null);
  return (
    <div class="overview" aria-hidden="true">
      <div
        role="presentation"
        class={`strip ${part.value}`}
        style={{ left: `${left}px`, width: `${width}px` }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = pixel(event);
          const grip = { part: partAt(at), window: seen.value };
          pull.current = { grip, at, x: xOf(whole, at), moved: false };
        }}
        onPointerMove={(event) => {
          const { current } = pull;
          const at = pixel(event);
          if (current === null) part.value = partAt(at);
          else if (current.moved || Math.abs(at - current.at) >= CLICK_PIXELS) {
            current.moved = true;
            zoomTo(pulled(current.grip, current.x, xOf(whole, at), [from, to]));
          }
        }}
        onPointerCancel={() => {
          pull.current = null;
        }}
        onPointerUp={(event) => {
          if (pull.current?.moved === false) playAt(xOf(whole, pixel(event)), event);
          pull.current = null;
        }}
      >
        <canvas ref={canvas} />
        <div
          class="window"
          hidden={viewport.value === null}
          style={{ left: `${start}px`, width: `${Math.max(end - start, 2)}px` }}
        />
      </div>
    </div>
  );
}

/** The axis of the overview: all there is, as wide as the plot. */
function wholeAxis(): Axis {
  const [from, to] = domain.value;
  return { from, to, left: axis.value.left, width: axis.value.width };
}

export function PositionSlider() {
  const all = stopSteps();
  if (!laidOut.value || all.length < 2) return null;
  const [step, ...value] = describePlace({ ...placeHere(), run: null }).split(", ");
  const words = [`${step} of ${formatStep(steps.value[1])}`, ...value].join(", ");
  return (
    <input
      class="position"
      type="range"
      aria-label="Position"
      min="0"
      max={all.length - 1}
      value={stopAtPlayhead(all)}
      // A screen reader speaks each change while this has the focus, and would talk over the sound.
      aria-valuetext={isPlaying() ? "playing" : words}
      onInput={({ currentTarget }) => moveTo(all[currentTarget.valueAsNumber] ?? 0)}
    />
  );
}
