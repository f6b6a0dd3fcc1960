/** What is heard, and how. */

import { useRef } from "preact/hooks";
import { bound, COMMANDS, type CommandName, run } from "../../actions/commands";
import { linkHere } from "../../actions/link";
import { moveTo } from "../../actions/moving";
import { hear, hearBoth } from "../../actions/transport";
import { framed } from "../../host";
import { spokenName } from "../../model/words";
import { hearing, listening } from "../../state/choices";
import { isPlaying, playheadStep } from "../../state/playing";
import * as store from "../../state/runs";
import { alarm, muteWords } from "../../state/watch";
import { SIDES } from "../../units";
import { CommandButton } from "../parts/CommandButton";
import { Icon } from "../parts/Icon";
import { Keys } from "../parts/Keycaps";

const BOTH = [
  { how: "both", label: "A + B", says: COMMANDS.hearBoth.words },
  { how: "blink", label: "A / B", says: COMMANDS.blink.words },
] as const;

export function Toolbar() {
  return (
    <section class="toolbar" aria-label="Controls">
      <div class="transport">
        <PlayButton />
        <CommandButton name="stop" />
        <CommandButton name="toggleLoop" />
        <CommandButton name="follow" />
      </div>
      <HearSwitch />
      <div class="aside">
        <AlarmButton />
        <CommandButton name="copyLink" class="plain" />
        <GoTo />
        <CommandButton name="describe" class="plain" />
        <CommandButton name="showOptions" class="plain" />
        <CommandButton name="showHelp" class="plain" />
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
      onClick={() => run("toggleAlarm")}
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
  return (
    <CommandButton
      name="playOrPause"
      class="play"
      icon={playing ? "pause" : "play"}
      label={playing ? "Pause" : "Play"}
    />
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

const TARGETS: readonly CommandName[] = [
  "toStart",
  "toEnd",
  "lowest",
  "highest",
  "lowestOfAll",
  "highestOfAll",
  "previousEvent",
  "nextEvent",
  "previousRun",
  "nextRun",
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
          {TARGETS.map((name) => (
            <li key={name}>
              <button type="button" class="plain" onClick={() => run(name)}>
                {COMMANDS[name].label}
                <span aria-hidden="true">
                  <Keys chords={bound.value[name].slice(0, 1)} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
