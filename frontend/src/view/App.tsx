/** The whole screen. */

import { focusTimeline } from "../actions/moving";
import { runResource } from "../state/data";
import { announcer } from "../state/playing";
import { runs, runsExpected } from "../state/runs";
import { CalmOffer, Loading, Problem, Skeleton } from "./Notices";
import { Drawer } from "./panels/Drawer";
import { Later } from "./parts/Later";
import { RunList } from "./runs/RunList";
import { Tracks } from "./tracks/Tracks";
import { Story } from "./transport/Story";
import { Toolbar } from "./transport/Toolbar";

export function App() {
  const none = runResource.get([]).value?.length === 0;
  const some = runs.value.length > 0;
  const awaited = !some && runsExpected.value;
  return (
    <main aria-label="Sonify">
      {some && (
        <button type="button" class="skip" onClick={() => focusTimeline()}>
          To the timeline
        </button>
      )}
      <h1 class="hidden">Sonify</h1>
      <Toolbar />
      <Loading />
      <CalmOffer />
      <Story />
      <Spoken />
      <div class="body">
        {awaited ? <div class="runs" /> : some && <RunList />}
        <div class="stage">
          <Problem />
          <Later name="Unreadable" />
          <Skeleton />
          {none && <Later name="NoRuns" />}
          {some && <Tracks />}
          {some && <Later name="Lacking" />}
          {some && <Later name="Sampled" />}
          {some && <Later name="Unmet" />}
          {some && <Later name="NoNorms" />}
          <div class="lane-bar">
            <Later name="LaneLegend" />
            <Later name="HeardLegend" />
          </div>
        </div>
      </div>
      <Drawer />
      <Later name="Palette" />
      <Later name="GoTo" />
      <Later name="Help" />
      <Later name="Options" />
      <Later name="Describe" />
    </main>
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
