/** What TensorBoard calls when the Sonify tab is opened. */

import { h, render as renderInto } from "preact";
import uplotStyle from "uplot/dist/uPlot.min.css";
import { openLink } from "./actions/share";
import { playOrPause } from "./actions/transport";
import { startEffects } from "./effects";
import { nameDocument } from "./host";
import card from "./style/card.css";
import channels from "./style/channels.css";
import controls from "./style/controls.css";
import desk from "./style/desk.css";
import dialog from "./style/dialog.css";
import heatmap from "./style/heatmap.css";
import layers from "./style/layers.css";
import layout from "./style/layout.css";
import notices from "./style/notices.css";
import readout from "./style/readout.css";
import strips from "./style/strips.css";
import theme from "./style/theme.css";
import timeline from "./style/timeline.css";
import twin from "./style/twin.css";
import { App } from "./view/App";

export function render(): void {
  nameDocument("Sonify");
  const style = document.createElement("style");
  style.textContent = [
    uplotStyle,
    theme,
    layout,
    card,
    controls,
    desk,
    channels,
    timeline,
    strips,
    heatmap,
    layers,
    readout,
    notices,
    dialog,
    twin,
  ].join("\n");
  document.head.append(style);
  openLink();
  startEffects();
  document.addEventListener("keydown", playWithSpace);
  renderInto(h(App, {}), document.body);
  performance.mark("sonify:ready");
}

/** Space plays and pauses wherever no control wants it for itself. */
function playWithSpace(event: KeyboardEvent): void {
  if (event.key !== " " || event.target !== document.body || event.repeat) return;
  event.preventDefault();
  performance.mark("sonify:gesture", {
    startTime: event.timeStamp,
    detail: { command: "playOrPause" },
  });
  playOrPause();
}
