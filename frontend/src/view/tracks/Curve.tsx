/** The curve, and which scalar is drawn. */

import { signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { type ChartPicture, drawChart, showRange } from "../../draw/chart";
import { shownName } from "../../model/words";
import { drawings, laidOut, seen } from "../../state/axis";
import { chosenTag, measure } from "../../state/choices";
import { chartResource } from "../../state/data";
import * as store from "../../state/runs";
import { dark, forcedColours, log, manyRuns, plot } from "../../state/runs";
import { Choice } from "../parts/Field";

export function CurveView() {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<{ readonly plot: uPlot; readonly picture: ChartPicture } | null>(null);

  useSignalEffect(() => {
    const element = root.current;
    if (element === null) return;
    // The colours are in the style sheet, which changes with these.
    void dark.value;
    void forcedColours.value;
    const start = performance.now();
    chart.current?.plot.destroy();
    chart.current = null;
    const library = chartResource.get([]).value;
    if (!laidOut.value || library === null) {
      plot.value = null;
      return;
    }
    const picture = {
      drawings: drawings.value,
      seen: seen.peek(),
      measure: measure.value,
      log: log.value,
      lettered: manyRuns.value,
      ...coloursOf(element),
    };
    const drawn = drawChart(library, element, picture, (place) => {
      plot.value = place;
    });
    chart.current = { plot: drawn, picture };
    performance.measure("sonify:draw", { start, end: performance.now() });
  });

  useSignalEffect(() => {
    const range = seen.value;
    const start = performance.now();
    if (chart.current === null) return;
    showRange(chart.current.plot, chart.current.picture, range);
    performance.measure("sonify:draw", { start, end: performance.now() });
  });

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0) chart.current?.plot.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current?.plot.destroy();
      plot.value = null;
    };
  }, []);

  return <div class={laidOut.value ? "curve" : "curve loading"} ref={root} aria-hidden="true" />;
}

function coloursOf(element: HTMLElement) {
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
