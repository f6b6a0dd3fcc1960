/** The chart of both curves; drawn anew when what it shows changes, never for the playhead. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { drawChart, type Picture, showRange } from "../../drawing/chart";
import { chartShelf } from "../../server/data";
import { laidOut, seen } from "../../state/axes";
import { measure } from "../../state/choices";
import { drawings } from "../../state/drawings";
import { log } from "../../state/shown";
import { dark, forcedColours, plot, several } from "../../state/store";

export function CurveView() {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<{ readonly plot: uPlot; readonly picture: Picture } | null>(null);

  useSignalEffect(() => {
    const element = root.current;
    if (element === null) return;
    // The colours are in the style sheet, which changes with these.
    void dark.value;
    void forcedColours.value;
    const start = performance.now();
    chart.current?.plot.destroy();
    chart.current = null;
    const library = chartShelf.get([]).value;
    if (!laidOut.value || library === null) {
      plot.value = null;
      return;
    }
    const picture = {
      drawings: drawings.value,
      seen: seen.peek(),
      measure: measure.value,
      log: log.value,
      lettered: several.value,
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
