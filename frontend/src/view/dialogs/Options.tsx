/** Options that are kept between visits: speech, output, keys. */

import { toggleAlarm, toggleAlarmMute } from "../../actions/alarm";
import { choosePitchZoom } from "../../actions/sound";
import { PITCH_ZOOMS } from "../../model/answers";
import { VERBOSITIES, VERBOSITY_TITLES } from "../../model/landmarks";
import { noServer } from "../../server/site";
import {
  chooseVerbosity,
  DELAYS,
  delay,
  mono,
  quieter,
  setDelay,
  setMono,
  setQuieter,
  sound,
  verbosity,
} from "../../state/choices";
import { alarm, muteWords } from "../../state/watch";
import { Check } from "../parts/Field";
import { Dialog } from "./Dialog";
import { KeyOptions } from "./KeyOptions";

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
