/** The whole screen. */

import { shownName } from "../model/words";
import { tableShown } from "../state/choices";
import { runResource } from "../state/data";
import { announcer, isPlaying, player } from "../state/playing";
import {
  curves,
  lineColours,
  nonNull,
  partnerTag,
  runs,
  runsExpected,
  scalarsOf,
  sides,
  tag,
  tags,
} from "../state/runs";
import { SIDES } from "../units";
import { Describe } from "./dialogs/Describe";
import { Help } from "./dialogs/Help";
import { Options } from "./dialogs/Options";
import {
  CalmOffer,
  Lacking,
  Loading,
  NoNorms,
  NoRuns,
  Problem,
  Problems,
  Sampled,
  Skeleton,
  Unmet,
  Unreadable,
} from "./Notices";
import { Events } from "./panels/Landmarks";
import { LayerTables } from "./panels/LayerTable";
import { EventLog } from "./panels/Log";
import { TableTwin } from "./panels/Table";
import { Letter, Readout } from "./panels/Values";
import { RunList } from "./runs/RunList";
import { BandLegend } from "./tracks/CoverageBand";
import { TagSelect } from "./tracks/Curve";
import { LaneBar } from "./tracks/LayerBar";
import { PositionSlider } from "./tracks/Ruler";
import { Timeline, TimelineDescription } from "./tracks/Timeline";
import { ViewBar } from "./tracks/ViewBar";
import { SoundBar } from "./transport/SoundBar";
import { Toolbar } from "./transport/Toolbar";

export function App() {
  const none = runResource.get([]).value?.length === 0;
  const awaited = runs.value.length === 0 && runsExpected.value;
  return (
    <main aria-label="Sonify">
      <h1 class="hidden">Sonify</h1>
      <Problems />
      <Toolbar />
      <CalmOffer />
      <SoundBar />
      <Loading />
      <Spoken />
      <div class="body">
        {awaited ? <div class="runs" /> : runs.value.length > 0 && <RunList />}
        <div class="stage">
          <Problem />
          <Unreadable />
          <Skeleton />
          {none && <NoRuns />}
          {runs.value.length > 0 && <CurveCard />}
          {runs.value.length > 0 && <LayerTables />}
          {runs.value.length > 0 && <NoNorms />}
          {runs.value.length > 0 && tableShown.value && <TableTwin />}
          {runs.value.length > 0 && <Readout />}
          {runs.value.length > 0 && <Events />}
          {runs.value.length > 0 && <EventLog />}
        </div>
      </div>
      <Help />
      <Options />
      <Describe />
    </main>
  );
}

function CurveCard() {
  return (
    <section class="card" aria-labelledby="curve-title">
      <header class="curve-header">
        <h2 id="curve-title" class={tags.value.length > 0 ? "hidden" : ""}>
          {title()}
        </h2>
        <TagSelect />
        <ul class="legend" aria-label="Runs in the curve">
          {SIDES.map(
            (side) => sides.value[side] !== null && <LegendEntry key={side} side={side} />,
          )}
          <ValidationEntry />
        </ul>
      </header>
      <ViewBar />
      <Timeline />
      <LaneBar />
      <TimelineDescription />
      <PositionSlider />
      <footer class="curve-footer">
        <Status />
        {isPlaying() && player.shown.value.waiting && <p class="waiting">Loading sound…</p>}
        <BandLegend />
        <TableSwitch />
      </footer>
      <Lacking />
      <Sampled />
      <Unmet />
    </section>
  );
}

/** The live region. It is always there: what appears together with its region is not spoken. */
function Spoken() {
  return (
    <p role="status" id="spoken" class="hidden">
      {announcer.text.value}
    </p>
  );
}

/** The same for the eye. */
function Status() {
  return (
    <p class="status" aria-hidden="true">
      {announcer.text.value}
    </p>
  );
}

function TableSwitch() {
  const shown = tableShown.value;
  return (
    <button
      type="button"
      aria-expanded={shown}
      aria-controls={shown ? "table" : undefined}
      onClick={() => {
        tableShown.value = !shown;
      }}
    >
      Table
    </button>
  );
}

function LegendEntry({ side }: { side: "a" | "b" }) {
  const run = sides.value[side] ?? "";
  const missing = curves[side].value === null && scalarsOf(side) !== null && tag.value !== null;
  const without = missing && !scalarsOf(side)?.scalars.includes(tag.value ?? "");
  return (
    <li>
      <Letter side={side} />
      <svg width="28" height="4" aria-hidden="true">
        <line
          x1="0"
          y1="2"
          x2="28"
          y2="2"
          stroke={lineColours[side].value}
          stroke-width="2"
          stroke-dasharray={side === "b" ? "7 4" : "none"}
        />
      </svg>
      <span class="name" dir="auto" title={run}>
        {shownName(run)}
      </span>
      {without && <span class="chip">not in this run</span>}
    </li>
  );
}

/** The validation loss, which is drawn thin in the colour of its run. */
function ValidationEntry() {
  const [drawn] = nonNull(SIDES.map((side) => partnerTag[side].value));
  if (drawn === undefined) return null;
  return (
    <li>
      <svg width="28" height="4" aria-hidden="true">
        <line x1="0" y1="2" x2="28" y2="2" stroke="currentColor" stroke-width="1" />
      </svg>
      <span class="name" dir="auto" title={drawn}>
        {shownName(drawn)}
      </span>
    </li>
  );
}

function title(): string {
  if (tag.value !== null) return shownName(tag.value);
  return SIDES.some((side) => scalarsOf(side) !== null) ? "No scalars" : "Loading…";
}
