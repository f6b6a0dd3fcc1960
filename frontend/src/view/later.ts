/** What the first picture does without: dialogs and panels. It is loaded right after it. */

import { late } from "../actions/commands";
import { compareHere } from "../actions/compare";
import { startLandscape } from "../effects/landscape";
import dialog from "../style/dialog.css";
import heard from "../style/heard.css";
import landscape from "../style/landscape.css";
import layers from "../style/layers.css";
import panels from "../style/panels.css";

export { Describe } from "./dialogs/Describe";
export { Help } from "./dialogs/Help";
export { Options } from "./dialogs/Options";
export { GoTo, Palette } from "./dialogs/Palette";
export { Lacking, NoNorms, NoRuns, Sampled, Unmet, Unreadable } from "./Hints";
export { Events, Log } from "./panels/Landmarks";
export { Landscape } from "./panels/Landscape";
export { LayerTables } from "./panels/LayerTable";
export { SoundKey } from "./panels/SoundKey";
export { TableTwin } from "./panels/Table";
export { Readout } from "./panels/Values";
export { Crosshair } from "./tracks/Crosshair";
export { HeardLane, HeardLegend } from "./tracks/HeardLane";
export { LaneLegend, ViewSettings } from "./tracks/LayerBar";
export { ReviewField } from "./tracks/ReviewField";
export { StripHead, StripLane } from "./tracks/StripLane";
export { MoreCommands } from "./transport/MoreCommands";
export { SoundSettings } from "./transport/SoundSettings";

export const style = [heard, layers, landscape, dialog, panels].join("\n");

late.compareHere = compareHere;
startLandscape();
