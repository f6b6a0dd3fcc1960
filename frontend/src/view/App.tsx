/** The whole screen. */

import { useEffect } from "preact/hooks";
import { tableShown } from "../state/choices";
import { runResource } from "../state/data";
import { announcer, isPlaying, player } from "../state/playing";
import { runs, runsExpected } from "../state/runs";
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
import { later, loadLater } from "./parts/later";
import { RunList } from "./runs/RunList";
import { LaneBar } from "./tracks/LayerBar";
import { CurveHeader } from "./tracks/Legend";
import { PositionSlider } from "./tracks/Ruler";
import { Timeline, TimelineDescription } from "./tracks/Timeline";
import { ViewBar } from "./tracks/ViewBar";
import { SoundBar } from "./transport/SoundBar";
import { Toolbar } from "./transport/Toolbar";

export function App() {
  useEffect(loadLater, []);
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
          {runs.value.length > 0 && <NoNorms />}
          {runs.value.length > 0 && later.value !== null && <later.value.Panels />}
        </div>
      </div>
      {later.value !== null && <later.value.Dialogs />}
    </main>
  );
}

function CurveCard() {
  return (
    <section class="card" aria-labelledby="curve-title">
      <CurveHeader />
      <ViewBar />
      <Timeline />
      <LaneBar />
      <TimelineDescription />
      <PositionSlider />
      <footer class="curve-footer">
        <Status />
        {isPlaying() && player.shown.value.waiting && <p class="waiting">Loading sound…</p>}
        {later.value !== null && <later.value.HeardLegend />}
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
