/** What is heard, and how. */

import { COMMANDS } from "../../actions/commands";
import { toggleLoop } from "../../actions/looping";
import { copyLink, linkHere } from "../../actions/share";
import { follow, hear, hearBoth, playOrPause, stop } from "../../actions/transport";
import { framed } from "../../host";
import { spokenName } from "../../model/format";
import { alarm, muteWords } from "../../state/alarm";
import { following, hearing, listening, looping } from "../../state/choices";
import { isPlaying } from "../../state/playing";
import { sources } from "../../state/sources";
import * as store from "../../state/store";
import { SIDES } from "../../units";
import { GoTo } from "./GoTo";
import { Icon } from "./Icon";

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
  if (!store.several.value && !awaited) return null;
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
