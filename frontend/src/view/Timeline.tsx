/** The surface that is clicked and steered with keys: curve, coverage band, playhead. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { axis, seen } from "../axes";
import { hearing } from "../choices";
import { COMMANDS } from "../commands";
import { stepOf } from "../model/axis";
import { describePlace } from "../model/describe";
import { formatStep } from "../model/format";
import { chordOf } from "../model/keys";
import { finished, here, isPlaying, placeHere, player, soundProblem, unlocked } from "../playing";
import { keymap, keyWords } from "../preferences";
import { sources } from "../sources";
import { sides } from "../store";
import { playFrom } from "../transport";
import type { Step } from "../units";
import { fit, panBy, zoomBy } from "../zoom";
import { CoverageBand } from "./CoverageBand";
import { CurveView } from "./CurveView";
import { Marks } from "./Events";
import { Hairline } from "./Hairline";
import { Heatmaps } from "./Heatmaps";
import { Playhead } from "./Playhead";

const WHEEL_ZOOM = 1.25;

export function Timeline() {
  const hovered = useSignal<Step | null>(null);
  const pressed = useRef(false);
  const controlAlone = useRef(false);
  const stepUnder = (event: MouseEvent & { currentTarget: HTMLElement }): Step | null => {
    if (axis.value === null) return null;
    const { left } = event.currentTarget.getBoundingClientRect();
    return stepOf(axis.value, event.clientX - left);
  };
  const playAt = (event: MouseEvent & { currentTarget: HTMLElement }) => {
    const step = stepUnder(event);
    if (step === null) return;
    performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { step } });
    playFrom(step);
  };
  return (
    <div
      class="timeline"
      role="application"
      tabIndex={0}
      aria-roledescription="audio timeline"
      aria-label={`Steps ${formatStep(seen.value[0])} to ${formatStep(seen.value[1])}`}
      aria-describedby="timeline-description"
      data-state={state()}
      data-step={here.value.toFixed(2)}
      data-run={sides.value[hearing.value] ?? ""}
      onPointerDown={(event) => {
        // A finger may be about to scroll, and unlocks the sound with its tap only: see the click.
        pressed.current = event.pointerType === "mouse";
        if (pressed.current && event.button === 0) playAt(event);
      }}
      onClick={(event) => {
        if (event.detail > 0 && !pressed.current) playAt(event);
      }}
      onPointerMove={(event) => {
        if (event.pointerType === "mouse") hovered.value = stepUnder(event);
      }}
      onWheel={(event) => {
        if (!event.ctrlKey && !event.shiftKey) return;
        event.preventDefault();
        controlAlone.current = false;
        const step = stepUnder(event);
        const turn = event.deltaY || event.deltaX;
        if (event.shiftKey) panBy(Math.sign(turn) / 10);
        else if (step !== null) zoomBy(turn < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM, step);
      }}
      onDblClick={fit}
      onPointerLeave={() => {
        hovered.value = null;
      }}
      onKeyDown={(event) => {
        controlAlone.current = event.key === "Control" && !event.repeat;
        const command = keymap.value.get(chordOf(event) ?? "");
        if (command === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.repeat && command === "playOrPause") return;
        performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { command } });
        COMMANDS[command]();
      }}
      onKeyUp={(event) => {
        // Ctrl hushes screen readers too; with another key it is not meant for us.
        const command = controlAlone.current ? keymap.value.get("Control") : undefined;
        if (event.key === "Control" && command !== undefined) COMMANDS[command]();
        controlAlone.current = false;
      }}
    >
      <CurveView />
      <Marks />
      <CoverageBand />
      <Heatmaps />
      <Hairline step={hovered.value} />
      <Playhead />
      <Hint />
    </div>
  );
}

/** For screen readers, where the playhead rests; silent while it moves. */
export function TimelineDescription() {
  const place = isPlaying() ? "playing" : describePlace(placeHere());
  const keys = [
    [keyWords("playOrPause"), "plays and pauses"],
    [keyWords("showHelp"), "lists all keys"],
  ].filter(([key]) => key !== null);
  return (
    <p id="timeline-description" class="hidden">
      {place}. {keys.map((words) => words.join(" ")).join(", ")}.
    </p>
  );
}

function Hint() {
  if (unlocked.value || soundProblem.value !== null) return null;
  if (sources[hearing.value].value === null) return null;
  return <p class="hint">Click the curve, or press Space, to listen</p>;
}

function state(): "paused" | "ended" | "waiting" | "playing" {
  if (!isPlaying()) return finished.value ? "ended" : "paused";
  return player.shown.value.waiting ? "waiting" : "playing";
}
