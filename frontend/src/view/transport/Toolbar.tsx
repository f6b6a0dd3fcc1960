/** The transport bar: play, where the playhead is, what is heard, and how. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { COMMANDS, run } from "../../actions/commands";
import { anyAlone, clearSolo } from "../../actions/runs";
import { chooseQuantity, setVolume } from "../../actions/sound";
import { hear, hearBoth } from "../../actions/transport";
import { QUANTITIES, type Quantity, WORDS } from "../../model/quantity";
import { settlePreset } from "../../model/runs";
import { formatStep, spokenName } from "../../model/words";
import { noServer } from "../../server/site";
import { laidOut, steps } from "../../state/axis";
import {
  chosenPreset,
  hearing,
  listening,
  soloed,
  soloedStreams,
  volume,
} from "../../state/choices";
import { coverages } from "../../state/hearing";
import { isPlaying, player, playheadStep } from "../../state/playing";
import {
  chosenRuns,
  lineColours,
  manyRuns,
  quantity,
  reducedMotion,
  runs,
  runsExpected,
  sides,
} from "../../state/runs";
import { alarm, muteWords } from "../../state/watch";
import { SIDES } from "../../units";
import { CommandButton, Icon, Menu } from "../parts/Button";
import { Choice } from "../parts/Field";
import { inEachFrame } from "../parts/frames";
import { Later } from "../parts/Later";

const BOTH = [
  ["both", COMMANDS.hearBoth],
  ["blink", COMMANDS.blink],
] as const;

export function Toolbar() {
  return (
    <section class="toolbar" aria-label="Controls">
      <div class="transport">
        <PlayButton />
        <CommandButton name="stop" class="plain icon-only" iconOnly />
        <CommandButton name="toggleLoop" class="plain" />
        <CommandButton name="follow" class="plain" />
      </div>
      <Position />
      <HearSwitch />
      {runsExpected.value && (
        <>
          <QuantityChoice />
          <SoundMenu />
        </>
      )}
      {anyAlone.value && <Alone />}
      <div class="aside">
        {runsExpected.value && <Meter />}
        {runsExpected.value && <Volume />}
        {noServer === null && <AlarmButton />}
        <Menu id="more-menu" name="More" title="More" face={<Icon name="more" />}>
          <Later name="MoreCommands" />
        </Menu>
      </div>
    </section>
  );
}

function PlayButton() {
  const playing = isPlaying();
  return (
    <CommandButton
      name="playOrPause"
      class="play"
      iconOnly
      icon={playing ? "pause" : "play"}
      label={playing ? "Pause" : "Play"}
    />
  );
}

/** A component of its own: it follows the playhead. */
function Position() {
  if (!runsExpected.value) return null;
  return (
    <p class="position-now" aria-hidden="true">
      step <strong>{laidOut.value ? formatStep(Math.floor(playheadStep.value)) : "—"}</strong>
      {laidOut.value && <span class="quiet"> of {formatStep(steps.value[1])}</span>}
    </p>
  );
}

function HearSwitch() {
  const awaited = runs.value.length === 0 && runsExpected.value;
  if (!manyRuns.value && !awaited) return null;
  const one = listening.value === "one";
  const single = sides.value.b === null;
  return (
    <fieldset class={awaited ? "switch awaited" : "switch"}>
      <legend class="hidden">Hear</legend>
      {SIDES.map((side) => {
        const run = sides.value[side];
        return (
          <label key={side} title={run ?? ""} style={{ "--line": lineColours[side].value }}>
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
      {BOTH.map(([how, { label, words }]) => (
        <label key={how} title={words}>
          <input
            type="radio"
            name="hear"
            checked={listening.value === how}
            disabled={single}
            aria-label={words}
            onChange={() => hearBoth(how)}
          />
          <span aria-hidden="true">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function QuantityChoice() {
  return (
    <Choice
      id="quantity"
      label="Quantity"
      title="What of the layers is heard and shown"
      disabled={!chosenRuns.value.some(({ hasNorms }) => hasNorms)}
      options={QUANTITIES.map(offerOf)}
      value={quantity.value}
      choose={chooseQuantity}
    />
  );
}

/** A quantity, and which runs lack it; none of them may have it. */
function offerOf(each: Quantity): readonly [Quantity, string, boolean] {
  const normed = chosenRuns.value.filter(({ hasNorms }) => hasNorms);
  const lacking = normed.filter(({ quantities }) => !quantities.includes(each));
  const missing = lacking.map((run) => (manyRuns.value ? sideOf(run.name) : "this run"));
  const words = missing.length > 0 ? ` (not in ${missing.join(" or ")})` : "";
  return [each, `${WORDS[each].name}${words}`, lacking.length < normed.length];
}

const sideOf = (name: string): string =>
  (SIDES.find((side) => sides.value[side] === name) ?? "").toUpperCase();

/** While a run or a group of layers is heard alone, which is easily forgotten. */
function Alone() {
  const names = [...soloed.value, ...soloedStreams.value].map(spokenName).join(", ");
  return (
    <button type="button" class="alone-chip" title="Hear all again" onClick={clearSolo}>
      Only <bdi>{names}</bdi>
      <span class="hidden">: hear all again</span>
      <span aria-hidden="true">✕</span>
    </button>
  );
}

const RANGE_DB = 48; // below full scale that are seen

/** From 0 to 1, by ear. */
const shareOf = (peak: number): number => Math.max(0, 1 + (20 * Math.log10(peak)) / RANGE_DB);

/** How loud left and right are: that it moves shows that there is sound. */
function Meter() {
  const root = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const bars = [...(root.current?.querySelectorAll("i") ?? [])];
    const show = (levels: readonly number[]) => {
      bars.forEach((bar, side) => {
        bar.style.transform = `scaleX(${shareOf(levels[side] ?? 0).toFixed(3)})`;
      });
    };
    show([0, 0]);
    if (!isPlaying() || reducedMotion.value) return;
    return inEachFrame(() => show(player.levels()));
  });

  return (
    <div class="level" ref={root} aria-hidden="true">
      <i />
      <i />
    </div>
  );
}

function Volume() {
  return (
    <input
      id="volume"
      type="range"
      min="0"
      max="1"
      step="0.01"
      value={volume.value}
      aria-label="Volume"
      title={`Volume: ${Math.round(volume.value * 100)} %`}
      aria-valuetext={`${Math.round(volume.value * 100)} percent`}
      onInput={(event) => setVolume(event.currentTarget.valueAsNumber)}
    />
  );
}

function AlarmButton() {
  const on = alarm.value;
  const muted = on ? muteWords.value : null;
  return (
    <button
      type="button"
      class="plain icon-only"
      aria-pressed={on}
      aria-label={muted === null ? "Alarm" : `Alarm, ${muted}`}
      title="Alarm: a sound and a notification when a run breaks, stalls or ends, also in the background"
      onClick={() => run("toggleAlarm")}
    >
      <Icon name={on && muted === null ? "bell" : "bellOff"} />
    </button>
  );
}

export function SoundMenu() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  const name = preset?.title.split(/[:(]/)[0]?.trim() ?? "Sound";
  return (
    <Menu
      id="sound-menu"
      name={`Sound settings, ${name}`}
      title="How it sounds: preset, speed, pitch range, layer groups"
      face={
        <>
          <span aria-hidden="true">♪</span> {name} <span aria-hidden="true">▾</span>
        </>
      }
    >
      <Later name="SoundSettings" />
    </Menu>
  );
}
