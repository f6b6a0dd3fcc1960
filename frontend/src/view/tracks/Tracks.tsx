/** The arrangement: heads at the left, lanes at the right, all on one axis. */

import { shownName } from "../../model/words";
import { lanes } from "../../state/layers";
import { scalarsOf, tag, tags } from "../../state/runs";
import { SIDES } from "../../units";
import { Menu } from "../parts/Button";
import { Later } from "../parts/Later";
import { TagSelect } from "./Curve";
import { Legend, Outliers } from "./Legend";
import { PositionSlider } from "./Ruler";
import { Timeline, TimelineDescription } from "./Timeline";
import { LayerNames, TrackHead } from "./TrackHead";

export function Tracks() {
  return (
    <section class="tracks" aria-labelledby="curve-title">
      <h2 id="curve-title" class={tags.value.length > 0 ? "hidden" : ""}>
        {title()}
      </h2>
      <Timeline />
      <TimelineDescription />
      <section class="head curve-head" aria-label="Curve">
        <TagSelect />
        <Legend />
        <Outliers />
        <Menu id="view-menu" name="View" face="View ▾">
          <Later name="ViewSettings" />
        </Menu>
      </section>
      {SIDES.map((side) => (
        <TrackHead key={side} side={side} />
      ))}
      {lanes.value.includes("difference") && (
        <section class="head difference" aria-label="Difference">
          <LayerNames lane="difference" />
        </section>
      )}
      <PositionSlider />
    </section>
  );
}

function title(): string {
  if (tag.value !== null) return shownName(tag.value);
  return SIDES.some((side) => scalarsOf(side) !== null) ? "No scalars" : "Loading…";
}
