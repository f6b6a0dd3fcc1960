/** The curve, and which scalar is drawn. */

import { signal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawPlot, type Look } from "../../draw/plot";
import { xTicks } from "../../model/axis";
import { shownName } from "../../model/words";
import { axis, drawable, drawings, plotHeight, timelineWidth, yAxis } from "../../state/axis";
import { chosenTag, measure } from "../../state/choices";
import * as store from "../../state/runs";
import { dark, forcedColours, manyRuns } from "../../state/runs";
import { Choice } from "../parts/Field";

/** Drawn anew when what it shows changes, never for the playhead. */
export function CurveView() {
  const root = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);

  useLayoutEffect(() => {
    const element = root.current;
    if (element === null) return;
    const measureSize = () => {
      // While the tab is hidden it has no size, and keeps what it had.
      if (element.clientWidth === 0) return;
      timelineWidth.value = element.clientWidth;
      plotHeight.value = element.clientHeight;
    };
    measureSize();
    const observer = new ResizeObserver(measureSize);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useSignalEffect(() => {
    const element = canvas.current;
    if (element === null || !drawable.value) return;
    const start = performance.now();
    // The colours are in the style sheet, which changes with these.
    void dark.value;
    void forcedColours.value;
    const picture = {
      drawings: drawings.value,
      x: axis.value,
      y: yAxis.value,
      xTicks: xTicks(axis.value, measure.value),
      lettered: manyRuns.value,
      width: timelineWidth.value,
      height: plotHeight.value,
    };
    drawPlot(element, picture, lookOf(element));
    performance.measure("sonify:draw", { start, end: performance.now() });
  });

  return (
    <div class={drawable.value ? "curve" : "curve loading"} ref={root} aria-hidden="true">
      <canvas ref={canvas} hidden={!drawable.value} />
    </div>
  );
}

function lookOf(element: HTMLElement): Look {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return { ink: colour("--ink-2"), grid: colour("--grid"), card: colour("--card") };
}

const FILTER_FROM = 30; // tags

const filter = signal("");

export function TagSelect() {
  const tags = store.tags.value;
  if (tags.length === 0) return null;
  const wanted = filter.value.trim().toLowerCase();
  // What is drawn stays among them.
  const offered = tags.filter(
    (tag) => tag === store.tag.value || tag.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Choice
        id="tag"
        label="Curve"
        options={offered.map((tag) => [tag, shownName(tag)])}
        value={store.tag.value ?? ""}
        choose={(tag) => {
          chosenTag.value = tag;
        }}
      />
      {tags.length > FILTER_FROM && (
        <input
          type="search"
          placeholder={`Filter ${tags.length} curves`}
          aria-label="Filter curves"
          value={filter.value}
          onInput={({ currentTarget }) => {
            filter.value = currentTarget.value;
          }}
        />
      )}
    </>
  );
}
