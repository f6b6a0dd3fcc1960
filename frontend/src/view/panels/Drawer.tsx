/** The foot of the screen: panels behind tabs, and one line that says what is going on. */

import type { ComponentChild } from "preact";
import { drawer, openDrawer, PANELS, type Panel } from "../../state/choices";
import { announcer, isPlaying, landmarks, player } from "../../state/playing";
import { runsExpected } from "../../state/runs";
import { Later } from "../parts/Later";
import { Pointed } from "../tracks/Pointed";

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
  table: { title: "Table", content: () => <Later name="TableTwin" /> },
  key: { title: "What you hear ♪", content: () => <Later name="SoundKey" /> },
  log: {
    title: "Log",
    count: () => announcer.log.value.length,
    content: () => <Later name="Log" />,
  },
};

export function Drawer() {
  if (!runsExpected.value) return null;
  const open = drawer.value;
  return (
    <footer class="drawer">
      {open !== null && (
        <div
          class="panel"
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
  const open = drawer.value;
  return (
    <div
      role="tablist"
      aria-label="Panels"
      onKeyDown={(event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const at = PANELS.findIndex(
          (name) => event.target === document.getElementById(`tab-${name}`),
        );
        if (by === undefined || at < 0) return;
        const next = PANELS[(at + by + PANELS.length) % PANELS.length];
        event.preventDefault();
        event.stopPropagation();
        document.getElementById(`tab-${next}`)?.focus();
      }}
    >
      {PANELS.map((name, at) => {
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
