/** The surface that is clicked and steered with keys: curve, coverage band, playhead. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { COMMANDS, keymap, keyWords, run } from "../../actions/commands";
import {
  drag,
  letGo,
  pixelUnder,
  placeUnder,
  playAt,
  point,
  press,
  release,
} from "../../actions/pointer";
import { fit, panBy, zoomBy } from "../../actions/zoom";
import { nothingFocused } from "../../host";
import { chordOf } from "../../model/keys";
import { describePlace } from "../../model/landmarks";
import { formatStep } from "../../model/words";
import { stepsSeen } from "../../state/axis";
import { hearing, LISTENED, recall } from "../../state/choices";
import { heardHeight, sources } from "../../state/hearing";
import { lanes } from "../../state/layers";
import {
  finished,
  isPlaying,
  placeHere,
  player,
  playheadStep,
  soundProblem,
  unlocked,
} from "../../state/playing";
import { runOf, sides } from "../../state/runs";
import { SIDES } from "../../units";
import { Later } from "../parts/Later";
import { Playhead, Regions } from "./Cursor";
import { CurveView } from "./Curve";
import { Flags } from "./Flags";
import { LayerLane } from "./LayerLane";
import { Overview } from "./Ruler";

const firstVisit = recall(LISTENED) === null;
const WHEEL_ZOOM = 1.25;
const CONTROLS = "button, input, select, a";

export function Timeline() {
  const focused = useSignal(false);
  const byMouse = useRef(false);
  const controlAlone = useRef(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!nothingFocused()) return;
    element.current?.focus({ preventScroll: true });
    focused.value = false; // nobody has pressed a key
  }, []);
  return (
    <div
      ref={element}
      class="timeline"
      role="application"
      tabIndex={0}
      aria-roledescription="audio timeline"
      aria-label={`Steps ${formatStep(stepsSeen.value[0])} to ${formatStep(stepsSeen.value[1])}`}
      aria-describedby="timeline-description"
      data-state={state()}
      data-step={playheadStep.value.toFixed(2)}
      data-run={sides.value[hearing.value] ?? ""}
      onPointerDown={(event) => {
        // A finger may be about to scroll, and unlocks the sound with its tap only: see the click.
        byMouse.current = event.pointerType === "mouse";
        if (byMouse.current && !isOwn(event.target)) press(event);
      }}
      onClick={(event) => {
        const byFinger = event.detail > 0 && !byMouse.current;
        if (byFinger && !isOwn(event.target)) playAt(placeUnder(event), event);
      }}
      onPointerMove={(event) => {
        if (event.pointerType !== "mouse") return;
        point(isOwn(event.target) ? null : placeOnPlot(event));
        drag(event);
      }}
      onPointerUp={(event) => {
        if (byMouse.current) release(event);
      }}
      onPointerCancel={letGo}
      onWheel={(event) => {
        if (!event.ctrlKey && !event.shiftKey) return;
        event.preventDefault();
        controlAlone.current = false;
        const x = placeUnder(event);
        const turn = event.deltaY || event.deltaX;
        if (event.shiftKey) panBy(Math.sign(turn) / 10);
        else zoomBy(turn < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM, x);
      }}
      onDblClick={(event) => {
        if (!isWithin(event.target, CONTROLS)) fit();
      }}
      onPointerLeave={() => {
        point(null);
      }}
      onFocus={(event) => {
        focused.value =
          event.target === event.currentTarget && event.currentTarget.matches(":focus-visible");
      }}
      onBlur={() => {
        focused.value = false;
      }}
      onKeyDown={(event) => {
        controlAlone.current = event.key === "Control" && !event.repeat;
        if (event.key === "Escape" && letGo()) return;
        const command = keymap.value.get(chordOf(event) ?? "");
        if (command === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.repeat && command === "playOrPause") return;
        performance.mark("sonify:gesture", { startTime: event.timeStamp, detail: { command } });
        run(command);
      }}
      onKeyUp={(event) => {
        // Ctrl hushes screen readers too; with another key it is not meant for us.
        const command = controlAlone.current ? keymap.value.get("Control") : undefined;
        if (event.key === "Control" && command !== undefined) COMMANDS[command].run();
        controlAlone.current = false;
      }}
    >
      <Overview />
      <CurveView />
      <Flags />
      {SIDES.map(
        (side) =>
          sides.value[side] !== null && (
            <div key={side} class={`lanes ${side}`}>
              <div class="heard-place" style={{ height: `${heardHeight(side)}px` }}>
                <Later name="HeardLane" side={side} />
              </div>
              {lanes.value.includes(side) && <LayerLane lane={side} />}
              {runOf(side)?.hasStrips && (
                <div class="strip-place">
                  <Later name="StripLane" side={side} />
                </div>
              )}
            </div>
          ),
      )}
      {lanes.value.includes("difference") && (
        <div class="lanes difference">
          <LayerLane lane="difference" />
        </div>
      )}
      <Regions />
      <Later name="Crosshair" byKeys={focused.value} />
      <Playhead />
      <Later name="ReviewField" />
      <Hint />
    </div>
  );
}

/** Where the pointer is, from the left of the lanes and from the top of the plot. */
function placeOnPlot(event: PointerEvent & { readonly currentTarget: HTMLElement }) {
  const plot = event.currentTarget.querySelector(".curve")?.getBoundingClientRect();
  return { x: pixelUnder(event), y: event.clientY - (plot?.top ?? 0) };
}

/** Whether what is under the pointer takes it for itself. */
const isOwn = (target: EventTarget | null): boolean => isWithin(target, `${CONTROLS}, .overview`);

const isWithin = (target: EventTarget | null, selector: string): boolean =>
  target instanceof Element && target.closest(selector) !== null;

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
  return (
    <p class="hint">
      Click the curve, or press Space, to listen
      {firstVisit && (
        <small>
          Each step is a note of three tones; larger gradients sound higher. “What you hear ♪” below
          plays all other sounds.
        </small>
      )}
    </p>
  );
}

function state(): "paused" | "ended" | "waiting" | "playing" {
  if (!isPlaying()) return finished.value ? "ended" : "paused";
  return player.shown.value.waiting ? "waiting" : "playing";
}
