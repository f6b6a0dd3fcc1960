/** The foot of the screen: panels behind tabs, and one line that says what is going on. */

import { computed } from "@preact/signals";
import type { ComponentChild } from "preact";
import { pointed, rowHere, wordsHere } from "../../actions/layers";
import { comparedWords, normWords, pool } from "../../model/norms";
import { formatStep, shownName } from "../../model/words";
import { axis, stepAt } from "../../state/axis";
import { drawer, openDrawer, PANELS, type Panel } from "../../state/choices";
import { heardUnderPointer } from "../../state/heard";
import { heatmaps, sidesShown } from "../../state/layers";
import { announcer, isPlaying, landmarks, player, playheadStep } from "../../state/playing";
import { manyRuns, quantity, runs, runsExpected } from "../../state/runs";
import type { Range, Side } from "../../units";
import { Later } from "../parts/Later";

/** Fixed in its place, and never spoken by itself; where nothing is pointed at, of the focused row. */
export function Pointed() {
  const heard = heardUnderPointer.value;
  if (heard !== null) return <p class="pointed">{heard}</p>;
  const at = pointed.value;
  if (at !== null) {
    const [a, b] = [cellUnder("a"), cellUnder("b")];
    const cell = at.lane === "b" ? b : a;
    return (
      <Line
        lane={at.lane}
        name={at.row.name}
        steps={stepWords(cell.steps)}
        words={
          at.lane === "difference"
            ? comparedWords(a.norm, b.norm, quantity.value)
            : normWords(cell.norm, quantity.value)
        }
      />
    );
  }
  const [lane] = sidesShown.value;
  const row = lane === undefined ? undefined : rowHere(lane);
  if (lane === undefined || row === undefined) return <p class="pointed" />;
  return (
    <Line
      lane={lane}
      name={row.name}
      steps={`step ${formatStep(playheadStep.value)}`}
      words={wordsHere(lane, row)}
    />
  );
}

function Line(props: { lane: string; name: string; steps: string; words: string }) {
  return (
    <p class="pointed">
      {manyRuns.value && (
        <b>{props.lane === "difference" ? "A and B" : props.lane.toUpperCase()}</b>
      )}
      <span class="name" dir="auto">
        {shownName(props.name)}
      </span>
      <span>{props.steps}</span>
      <span class="number">{props.words}</span>
    </p>
  );
}

/** What a side has under the pointer: the worst norm of the row in the pixel, and the pixel's steps. */
function cellUnder(side: Side): { norm: number; steps: Range } {
  const place = axis.value;
  const at = pointed.value;
  const heatmap = heatmaps[side].value?.heatmap;
  if (at === null) return { norm: -1, steps: [0, 0] };
  const stepOf = (pixel: number) =>
    stepAt(side, place.from + ((place.to - place.from) * pixel) / place.width);
  const edges = Float64Array.of(stepOf(at.pixel), stepOf(at.pixel + 1));
  const [norm = -1] = heatmap === undefined ? [] : pool(heatmap, [at.row.layers], edges);
  return { norm, steps: [edges[0] ?? 0, edges[1] ?? 0] };
}

function stepWords([from, to]: Range): string {
  const [first, last] = [formatStep(from), formatStep(Math.ceil(to - 1e-6) - 1)];
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
}

type Description = {
  readonly title: string;
  readonly count?: () => number;
  readonly content: () => ComponentChild;
};

const TABS: Readonly<Record<Panel, Description>> = {
  values: { title: "Values", content: () => <Later name="Readout" /> },
  layers: { title: "Layers", content: () => <Later name="LayerTables" /> },
  landmarks: {
    title: "Landmarks",
    count: () => landmarks.value.length,
    content: () => <Later name="Events" />,
  },
  landscape: { title: "Landscape", content: () => <Later name="Landscape" /> },
  table: { title: "Table", content: () => <Later name="TableTwin" /> },
  key: { title: "What you hear ♪", content: () => <Later name="SoundKey" /> },
  log: {
    title: "Log",
    count: () => announcer.log.value.length,
    content: () => <Later name="Log" />,
  },
};

/** One of them only where a run has something for it. */
const panels = computed(() =>
  PANELS.filter(
    (name) =>
      name !== "landscape" ||
      runs.value.some(({ hasStrips, surfaces }) => hasStrips || surfaces.length > 0),
  ),
);
const shownPanel = computed(() => panels.value.find((name) => name === drawer.value) ?? null);

export function Drawer() {
  if (!runsExpected.value) return null;
  const open = shownPanel.value;
  return (
    <footer class="drawer">
      {open !== null && (
        <div
          class="panel"
          data-panel={open}
          id="drawer-panel"
          role="tabpanel"
          aria-labelledby={`tab-${open}`}
          tabIndex={0}
        >
          {TABS[open].content()}
        </div>
      )}
      <div class="foot">
        <Tabs />
        <p class="status" aria-hidden="true">
          {announcer.text.value}
        </p>
        {isPlaying() && player.shown.value.waiting && <p class="waiting">Loading sound…</p>}
        <Pointed />
      </div>
    </footer>
  );
}

/** The tab of an open panel closes it. */
function Tabs() {
  const open = shownPanel.value;
  const all = panels.value;
  return (
    <div
      role="tablist"
      aria-label="Panels"
      onKeyDown={(event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const at = all.findIndex((name) => event.target === document.getElementById(`tab-${name}`));
        if (by === undefined || at < 0) return;
        const next = all[(at + by + all.length) % all.length];
        event.preventDefault();
        event.stopPropagation();
        document.getElementById(`tab-${next}`)?.focus();
      }}
    >
      {all.map((name, at) => {
        const { title, count } = TABS[name];
        return (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={open === name}
            aria-controls={open === name ? "drawer-panel" : undefined}
            tabIndex={open === name || (open === null && at === 0) ? 0 : -1}
            onClick={() => openDrawer(open === name ? null : name)}
          >
            {title}
            {count !== undefined && <span class="count"> {count()}</span>}
          </button>
        );
      })}
    </div>
  );
}
