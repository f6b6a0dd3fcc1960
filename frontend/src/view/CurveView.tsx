/** The chart of both curves; drawn anew when what it shows changes, never for the playhead. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { laidOut, seen } from "../axes";
import { type Drawing, drawChart } from "../chart";
import { firstGap, lineOf, rangeOf } from "../model/curve";
import { curves, dark, forcedColours, lineColours, log, plot } from "../store";
import { SIDES } from "../units";

export function CurveView() {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);

  useSignalEffect(() => {
    const element = root.current;
    if (element === null) return;
    // The colours are in the style sheet, which changes with these.
    void dark.value;
    void forcedColours.value;
    const start = performance.now();
    const drawings = drawingsOf(log.value);
    const range = rangeOf(
      drawings.map(({ line }) => line),
      log.value,
    );
    chart.current?.destroy();
    chart.current = null;
    if (!laidOut.value) {
      plot.value = null;
      return;
    }
    chart.current = drawChart(
      element,
      { drawings, domain: seen.value, range, log: log.value, ...coloursOf(element) },
      (place) => {
        plot.value = place;
      },
    );
    performance.measure("sonify:draw", { start, end: performance.now() });
  });

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0) chart.current?.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current?.destroy();
      plot.value = null;
    };
  }, []);

  return <div class={laidOut.value ? "curve" : "curve loading"} ref={root} aria-hidden="true" />;
}

function drawingsOf(log: boolean): Drawing[] {
  return SIDES.flatMap((side) => {
    const curve = curves[side].value;
    if (curve === null || curve.steps.length === 0) return [];
    return [
      { side, line: lineOf(curve, log), colour: lineColours[side].value, gap: firstGap(curve) },
    ];
  });
}

function coloursOf(element: HTMLElement) {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return { ink: colour("--ink-2"), grid: colour("--grid"), card: colour("--card") };
}
