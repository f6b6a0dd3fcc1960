/** What is heard, and how. */

import { useRef } from "preact/hooks";
import { COMMANDS } from "../../actions/commands";
import { copyLink, linkHere } from "../../actions/link";
import { moveTo, toggleLoop } from "../../actions/moving";
import { follow, hear, hearBoth, playOrPause, stop } from "../../actions/transport";
import { framed } from "../../host";
import type { Command } from "../../model/keys";
import { spokenName } from "../../model/words";
import { bound, following, hearing, listening, looping } from "../../state/choices";
import { sources } from "../../state/hearing";
import { isPlaying, playheadStep } from "../../state/playing";
import * as store from "../../state/runs";
import { alarm, muteWords } from "../../state/watch";
import { SIDES } from "../../units";
import { Icon } from "../parts/Icon";
import { Keys } from "../parts/Keycaps";

const BOTH = [
  { how: "both", label: "A + B", says: "Hear A on the left and B on the right" },
  { how: "blink", label: "A / B", says: "Hear A and B by turns" },
] as const;

export function Toolbar() {
  return (
    <section class="toolbar" aria-label="Controls">
      <div class="transport">
        <PlayButton />
        <button type="button" disabled={!isPlaying()} onClick={stop}>
          <Icon name="stop" />
          Stop
        </button>
        <Toggle
          icon="loop"
          name="Loop"
          on={looping.value}
          disabled={sources[hearing.value].value === null}
          toggle={toggleLoop}
        />
        <Toggle
          icon="live"
          name="Follow"
          on={following.value}
          disabled={sources[hearing.value].value === null}
          toggle={follow}
        />
      </div>
      <HearSwitch />
      <div class="aside">
        <AlarmButton />
        <button type="button" class="plain" onClick={() => void copyLink()}>
          <Icon name="link" />
          Copy link
        </button>
        <GoTo />
        <button type="button" class="plain" onClick={COMMANDS.describe}>
          Describe
        </button>
        <button type="button" class="plain" onClick={COMMANDS.showOptions}>
          Options
        </button>
        <button type="button" class="plain" onClick={COMMANDS.showHelp}>
          <Icon name="keyboard" />
          Keys
        </button>
        {framed && <OpenAlone />}
      </div>
    </section>
  );
}

function AlarmButton() {
  const on = alarm.value;
  const muted = on ? muteWords.value : null;
  return (
    <button
      type="button"
      class="plain alarm"
      aria-pressed={on}
      aria-label={muted === null ? "Alarm" : `Alarm, ${muted}`}
      title="A sound and a notification when a run breaks, stalls or ends, also in the background"
      onClick={COMMANDS.toggleAlarm}
    >
      <Icon name={on && muted === null ? "bell" : "bellOff"} />
      <span class="muted">{muted ?? "Alarm"}</span>
    </button>
  );
}

/** Simpler for a screen reader, and a bookmark of its own. */
function OpenAlone() {
  return (
    <a
      class="plain"
      href={linkHere(true)}
      target="_blank"
      rel="noopener"
      title="A page of its own, without TensorBoard’s frame"
    >
      Open alone
    </a>
  );
}

function PlayButton() {
  const playing = isPlaying();
  const silent = sources[hearing.value].value === null;
  return (
    <button type="button" class="play" disabled={silent && !playing} onClick={playOrPause}>
      <Icon name={playing ? "pause" : "play"} />
      {playing ? "Pause" : "Play"}
    </button>
  );
}

type ToggleProps = {
  readonly icon: "loop" | "live";
  readonly name: string;
  readonly on: boolean;
  readonly disabled: boolean;
  readonly toggle: () => void;
};

function Toggle({ icon, name, on, disabled, toggle }: ToggleProps) {
  return (
    <button type="button" aria-pressed={on} disabled={disabled} onClick={toggle}>
      <Icon name={icon} />
      {name}
    </button>
  );
}

function HearSwitch() {
  const awaited = store.runs.value.length === 0 && store.runsExpected.value;
  if (!store.manyRuns.value && !awaited) return null;
  const one = listening.value === "one";
  const single = store.sides.value.b === null;
  return (
    <fieldset class={awaited ? "switch awaited" : "switch"}>
      <legend>Hear</legend>
      {SIDES.map((side) => {
        const run = store.sides.value[side];
        return (
          <label key={side} title={run ?? ""} style={{ "--line": store.lineColours[side].value }}>
            <input
              type="radio"
              name="hear"
              checked={one && hearing.value === side}
              disabled={run === null}
              aria-label={`Hear ${side.toUpperCase()}${run === null ? "" : `, ${spokenName(run)}`}`}
              onChange={() => hear(side)}
            />
            <span aria-hidden="true">{side.toUpperCase()}</span>
          </label>
        );
      })}
      {BOTH.map(({ how, label, says }) => (
        <label key={how} title={says}>
          <input
            type="radio"
            name="hear"
            checked={listening.value === how}
            disabled={single}
            aria-label={says}
            onChange={() => hearBoth(how)}
          />
          <span aria-hidden="true">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

const TARGETS: readonly (readonly [Command, string])[] = [
  ["toStart", "First step"],
  ["toEnd", "Last step"],
  ["lowest", "Lowest value"],
  ["highest", "Highest value"],
  ["lowestOfAll", "Lowest of all shown"],
  ["highestOfAll", "Highest of all shown"],
  ["previousEvent", "Landmark before"],
  ["nextEvent", "Next landmark"],
  ["previousRun", "Run before"],
  ["nextRun", "Next run"],
];

export function GoTo() {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  return (
    <details
      class="menu"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        close();
        menu.current?.querySelector("summary")?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        const inside = relatedTarget instanceof Node && menu.current?.contains(relatedTarget);
        if (relatedTarget !== null && !inside) close();
      }}
    >
      <summary>Go to</summary>
      <div class="sheet">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const step = new FormData(event.currentTarget).get("step");
            moveTo(Number(step));
          }}
        >
          <label>
            Step{" "}
            <input
              name="step"
              type="number"
              required
              defaultValue={String(Math.floor(playheadStep.peek()))}
            />
          </label>
          <button type="submit">Go</button>
        </form>
        <ul>
          {TARGETS.map(([command, title]) => (
            <li key={command}>
              <button type="button" class="plain" onClick={COMMANDS[command]}>
                {title}
                <span aria-hidden="true">
                  <Keys chords={bound.value[command].slice(0, 1)} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
