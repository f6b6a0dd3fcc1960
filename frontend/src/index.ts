/** What TensorBoard calls when the Sonify tab is opened. */

import { h, render as renderInto } from "preact";
import { unlockAlarm } from "./actions/alarm";
import { COMMANDS, keymap, run } from "./actions/commands";
import { openLink } from "./actions/link";
import { startEffects } from "./effects/index";
import { nameDocument } from "./host";
import { chordOf } from "./model/keys";
import base from "./style/base.css";
import heatmap from "./style/heatmap.css";
import layout from "./style/layout.css";
import notices from "./style/notices.css";
import plot from "./style/plot.css";
import runs from "./style/runs.css";
import timeline from "./style/timeline.css";
import tokens from "./style/tokens.css";
import tracks from "./style/tracks.css";
import transport from "./style/transport.css";
import { App } from "./view/App";
import { loadLater } from "./view/parts/Later";

export function render(): void {
  nameDocument();
  const style = document.createElement("style");
  style.textContent = [
    tokens,
    base,
    layout,
    transport,
    runs,
    tracks,
    timeline,
    plot,
    heatmap,
    notices,
  ].join("\n");
  document.head.append(style);
  openLink();
  startEffects();
  document.addEventListener("keydown", answerAnywhere);
  for (const gesture of ["pointerdown", "keydown"])
    document.addEventListener(gesture, unlockAlarm, { capture: true });
  renderInto(h(App, {}), document.body);
  loadLater();
  performance.mark("sonify:ready");
}

/** What wants keys for itself. */
const OWN_KEYS = "input, select, textarea, dialog, [popover], [role=grid], [role=tablist]";
const PRESSING = ["Space", "Enter"];

/** Whether a control would answer to a key itself. */
function isTaken(target: EventTarget | null, chord: string | null): boolean {
  if (!(target instanceof Element) || target === document.body) return false;
  return target.closest(OWN_KEYS) !== null || PRESSING.includes(chord ?? "");
}

/** What needs no timeline works wherever no control wants the key for itself. */
function answerAnywhere(event: KeyboardEvent): void {
  const chord = chordOf(event);
  const command = keymap.value.get(chord ?? "");
  if (event.repeat || command === undefined || event.defaultPrevented) return;
  const { anywhere } = COMMANDS[command];
  if (anywhere === undefined || (anywhere !== "always" && isTaken(event.target, chord))) return;
  event.preventDefault();
  performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { command } });
  run(command);
}
