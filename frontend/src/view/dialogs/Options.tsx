/** Options that are kept between visits: speech, output, keys. */

import { type Signal, useSignal } from "@preact/signals";
import { toggleAlarm, toggleAlarmMute } from "../../actions/alarm";
import {
  bound,
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  keymap,
  PLAIN_BOUND,
} from "../../actions/commands";
import { choosePitchZoom } from "../../actions/sound";
import { PITCH_ZOOMS } from "../../model/answers";
import {
  bind,
  type Chord,
  chordOf,
  chordWords,
  MAP_TITLES,
  type MapName,
  PLAIN_KEYS,
  refusal,
  unbind,
} from "../../model/keys";
import { VERBOSITIES, VERBOSITY_TITLES } from "../../model/landmarks";
import { noServer } from "../../server/site";
import {
  chooseKeys,
  chooseVerbosity,
  DELAYS,
  delay,
  keyChoice,
  mono,
  quieter,
  setDelay,
  setMono,
  setQuieter,
  sound,
  verbosity,
} from "../../state/choices";
import { alarm, muteWords } from "../../state/watch";
import { Keys } from "../parts/Button";
import { Check } from "../parts/Field";
import { Dialog } from "./Dialog";

export function Options() {
  return (
    <Dialog name="options" title="Options">
      {() => (
        <>
          <fieldset>
            <legend>Said while it plays</legend>
            {VERBOSITIES.map((each) => (
              <label key={each} class="check">
                <input
                  type="radio"
                  name="verbosity"
                  checked={verbosity.value === each}
                  onChange={() => chooseVerbosity(each)}
                />
                {VERBOSITY_TITLES[each]}
              </label>
            ))}
            <Check on={quieter.value} set={setQuieter}>
              Lower the sound while speaking
            </Check>
          </fieldset>
          <fieldset disabled={noServer !== null}>
            <legend>Alarm{noServer !== null && `: ${noServer}`}</legend>
            <Check on={alarm.value} set={() => void toggleAlarm()}>
              A sound and a notification when a run breaks, stalls or ends
            </Check>
            {alarm.value && (
              <button type="button" onClick={toggleAlarmMute}>
                {muteWords.value === null ? "Mute for an hour" : `Unmute: ${muteWords.value}`}
              </button>
            )}
          </fieldset>
          <fieldset>
            <legend>Sound</legend>
            <Check on={mono.value} set={setMono}>
              Mono: the same in both ears
            </Check>
            <label class="check">
              Delay of the output, ms
              <input
                type="number"
                min={DELAYS[0]}
                max={DELAYS[1]}
                step="10"
                value={delay.value}
                aria-describedby="delay-why"
                onChange={({ currentTarget }) => {
                  setDelay(currentTarget.valueAsNumber);
                  currentTarget.value = String(delay.value);
                }}
              />
            </label>
            <p id="delay-why" class="quiet">
              Wireless headphones may be 100 to 300 ms late: raise it until the playhead is where
              the sound is.
            </p>
          </fieldset>
          <fieldset disabled={noServer !== null}>
            <legend>Pitch range{noServer !== null && `: ${noServer}`}</legend>
            {PITCH_ZOOMS.map((each) => (
              <label key={each} class="check">
                <input
                  type="radio"
                  name="pitch-range"
                  checked={sound.value.zoom === each}
                  onChange={() => choosePitchZoom(each)}
                />
                {each === 1 ? "a semitone for twice the norm" : `${each} semitones`}
              </label>
            ))}
          </fieldset>
          <KeyOptions />
        </>
      )}
    </Dialog>
  );
}

/** The command that a key is being pressed for, and the key that another one has. */
type Capture = { readonly command: CommandName; readonly taken: Chord | null } | null;

/** Which key does what: a shortcut set, letters on or off, and each command by a press. */
function KeyOptions() {
  const capture = useSignal<Capture>(null);
  const said = useSignal("");
  const choice = keyChoice.value;
  return (
    <fieldset>
      <legend>Keys</legend>
      <label class="check">
        Shortcut set
        <select
          value={choice.map}
          onChange={({ currentTarget }) =>
            chooseKeys({ ...choice, map: currentTarget.value as MapName })
          }
        >
          {Object.entries(MAP_TITLES).map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <Check on={choice.letters} set={(letters) => chooseKeys({ ...choice, letters })}>
        Single-key shortcuts: letters, digits and signs without Ctrl
      </Check>
      <p role="status" class="quiet capture">
        {said.value || "Choose a command, then press the key that is to do it."}
      </p>
      <ul class="remap">
        {COMMAND_NAMES.map((command) => (
          <Row key={command} command={command} capture={capture} said={said} />
        ))}
      </ul>
      <button
        type="button"
        onClick={() => {
          chooseKeys({ ...PLAIN_KEYS, map: choice.map });
          said.value = "All keys are as in the shortcut set";
        }}
      >
        Reset all keys
      </button>
    </fieldset>
  );
}

type RowProps = {
  readonly command: CommandName;
  readonly capture: Signal<Capture>;
  readonly said: Signal<string>;
};

function Row({ command, capture, said }: RowProps) {
  const { words } = COMMANDS[command];
  const waiting = capture.value?.command === command ? capture.value : null;
  const taken = waiting?.taken ?? null;
  const take = (chord: Chord) => {
    chooseKeys(bind(PLAIN_BOUND, keyChoice.value, command, chord));
    capture.value = null;
    said.value = `${chordWords(chord)}: ${words}`;
  };
  const press = (event: KeyboardEvent) => {
    const chord = chordOf(event);
    if (waiting === null || chord === null || event.key === "Tab" || event.repeat) return;
    event.preventDefault();
    const refused = refusal(keyChoice.value, chord);
    const owner = keymap.value.get(chord);
    if (chord === "Escape") {
      capture.value = null;
      said.value = "Nothing has changed";
    } else if (refused !== null) {
      said.value = `${chordWords(chord)}: ${refused}`;
    } else if (owner !== undefined && owner !== command) {
      capture.value = { command, taken: chord };
      said.value = `${chordWords(chord)} is taken: ${COMMANDS[owner].words}`;
    } else {
      take(chord);
    }
  };
  return (
    <li>
      <span class="does">{words}</span>
      {waiting === null ? <Keys chords={bound.value[command]} /> : "Press a key"}
      <span class="buttons">
        <button
          type="button"
          class="plain"
          aria-pressed={waiting !== null}
          aria-label={`Change: ${words}`}
          onKeyDown={press}
          onBlur={() => {
            if (taken === null) capture.value = null;
          }}
          onClick={() => {
            capture.value = { command, taken: null };
            said.value = `Press the key for: ${words}. Escape leaves it as it is.`;
          }}
        >
          Change
        </button>
        {taken !== null && (
          <button
            type="button"
            onClick={({ currentTarget }) => {
              (currentTarget.previousElementSibling as HTMLElement).focus(); // this one goes
              take(taken);
            }}
          >
            Take {chordWords(taken)}
          </button>
        )}
        <button
          type="button"
          class="plain"
          aria-label={`Reset: ${words}`}
          onClick={() => {
            chooseKeys(unbind(keyChoice.value, command));
            said.value = `As in the shortcut set: ${words}`;
          }}
        >
          Reset
        </button>
      </span>
    </li>
  );
}
