/** The whole screen. */

import { shownName } from "../model/format";
import { runShelf } from "../server/data";
import { tableShown } from "../state/choices";
import { announcer, isPlaying, player } from "../state/playing";
import {
  curves,
  lineColours,
  partnerTag,
  present,
  runs,
  runsExpected,
  sides,
  signalsOf,
  tag,
  tags,
} from "../state/store";
import { SIDES } from "../units";
import { SoundBar } from "./controls/SoundBar";
import { Toolbar } from "./controls/Toolbar";
import { Desk } from "./desk/Desk";
import { Describe } from "./dialogs/Describe";
import { Help } from "./dialogs/Help";
import { Options } from "./dialogs/Options";
import { Loading, Skeleton } from "./Loading";
import { LaneBar } from "./lanes/LaneBar";
import { LayerTables } from "./lanes/LayerTables";
import {
  CalmOffer,
  Lacking,
  NoNorms,
  NoRuns,
  Problem,
  Sampled,
  Unmet,
  Unreadable,
} from "./Notices";
import { Problems } from "./Problems";
import { EventLog } from "./readout/EventLog";
import { Events } from "./readout/Events";
import { Letter, Readout } from "./readout/Readout";
import { TableTwin } from "./readout/TableTwin";
import { BandLegend } from "./timeline/CoverageBand";
import { PositionSlider } from "./timeline/PositionSlider";
import { TagSelect } from "./timeline/TagSelect";
import { Timeline, TimelineDescription } from "./timeline/Timeline";
import { ViewBar } from "./timeline/ViewBar";

export function App() {
  const none = runShelf.get([]).value?.length === 0;
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
        {awaited ? <div class="runs" /> : runs.value.length > 0 && <Desk />}
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
  const missing = curves[side].value === null && signalsOf(side) !== null && tag.value !== null;
  const without = missing && !signalsOf(side)?.scalars.includes(tag.value ?? "");
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
  const [drawn] = present(SIDES.map((side) => partnerTag[side].value));
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
  return SIDES.some((side) => signalsOf(side) !== null) ? "No scalars" : "Loading…";
}
