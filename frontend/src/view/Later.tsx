/** What the first paint does without: it is loaded after it, as a script of its own. */

import { tableShown } from "../state/choices";
import dialog from "../style/dialog.css";
import heard from "../style/heard.css";
import palette from "../style/palette.css";
import { Describe } from "./dialogs/Describe";
import { GoTo } from "./dialogs/GoTo";
import { Help } from "./dialogs/Help";
import { Options } from "./dialogs/Options";
import { Palette } from "./dialogs/Palette";

import { Events } from "./panels/Landmarks";
import { LayerTables } from "./panels/LayerTable";
import { EventLog } from "./panels/Log";
import { TableTwin } from "./panels/Table";
import { Readout } from "./panels/Values";

export { HeardLanes, HeardLegend } from "./tracks/HeardLane";
export { ReviewField } from "./tracks/ReviewField";

const style = document.createElement("style");
style.textContent = `${dialog}\n${palette}\n${heard}`;
document.head.append(style);

/** All that opens over the screen. */
export function Dialogs() {
  return (
    <>
      <Palette />
      <GoTo />
      <Help />
      <Options />
      <Describe />
    </>
  );
}

/** What is below the curve. */
export function Panels() {
  return (
    <>
      <LayerTables />
      {tableShown.value && <TableTwin />}
      <Readout />
      <Events />
      <EventLog />
    </>
  );
}
