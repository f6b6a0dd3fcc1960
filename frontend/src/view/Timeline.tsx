/** The surface that is clicked and steered with keys: curve, coverage band, playhead. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { COMMANDS, playFrom } from "../commands";
import { stepOf } from "../model/axis";
import { describePlace } from "../model/describe";
import { formatStep } from "../model/format";
import { commandOf } from "../model/keys";
import { finished, here, isPlaying, placeHere, player, soundProblem, unlocked } from "../playing";
import { axis, domain, hearing, sides, sources } from "../store";
import type { Step } from "../units";
import { CoverageBand } from "./CoverageBand";
import { CurveView } from "./CurveView";
import { Hairline } from "./Hairline";
import { Playhead } from "./Playhead";

export function Timeline() {
  const hovered = useSignal<Step | null>(null);
  const pressed = useRef(false);
  const stepAt = (event: MouseEvent & { currentTarget: HTMLElement }): Step | null => {
    const { left } = event.currentTarget.getBoundingClientRect();
    return axis.value === null ? null : stepOf(axis.value, event.clientX - left);
  };
  const playAt = (event: MouseEvent & { currentTarget: HTMLElement }) => {
    const step = stepAt(event);
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
      aria-label={`Steps ${formatStep(domain.value[0])} to ${formatStep(domain.value[1])}`}
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
        if (event.pointerType === "mouse") hovered.value = stepAt(event);
      }}
      onPointerLeave={() => {
        hovered.value = null;
      }}
      onKeyDown={(event) => {
        const command = commandOf(event);
        if (command === null) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.repeat && command === "playOrPause") return;
        performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { command } });
        COMMANDS[command]();
      }}
    >
      <CurveView />
      <CoverageBand />
      <Hairline step={hovered.value} />
      <Playhead />
      <Hint />
    </div>
  );
}

/** For screen readers, where the playhead rests; silent while it moves. */
export function TimelineDescription() {
  const place = isPlaying() ? "playing" : describePlace(placeHere());
  return (
    <p id="timeline-description" class="hidden">
      {place}. Space plays and pauses, arrow keys move, H lists all keys.
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
