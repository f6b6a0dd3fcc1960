/** The keys by subject, as they are bound now, and what is heard. */

import { bound, COMMAND_NAMES, COMMANDS, SUBJECTS } from "../../actions/commands";
import type { Chord } from "../../model/keys";
import { Keys } from "../parts/Button";
import { Dialog } from "./Dialog";

export function Help() {
  return (
    <Dialog name="help" title="Keys">
      {() => (
        <>
          <p>
            They work while the timeline has the focus: press Tab until it has, or click it. Space
            also plays and pauses where nothing else has the focus. Options change them.
          </p>
          {SUBJECTS.map((subject) => (
            <table key={subject}>
              <caption>{subject}</caption>
              <tbody>
                {COMMAND_NAMES.filter((name) => COMMANDS[name].subject === subject).map((name) => (
                  <tr key={name}>
                    <th scope="row">{COMMANDS[name].words}</th>
                    <td>
                      <Keys chords={bound.value[name]} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ))}
          <table>
            <caption>In the lanes of layers, where all others hold, too</caption>
            <tbody>
              {laneKeys().map(([does, chords]) => (
                <tr key={does}>
                  <th scope="row">{does}</th>
                  <td>
                    <Keys chords={chords} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <h3>With the mouse</h3>
          <p>
            Click the curve, or anything below it, to play from there. Drag to see closer, drag with
            Shift for a loop. Ctrl and the wheel zoom, Shift and the wheel move along, a double
            click shows all.
          </p>
          <h3>What you hear</h3>
          <p>
            Every note is one step of training, or a few in a long run. With the smooth sound, early
            layers are low and on the left, middle layers an octave above, late layers another
            octave above and on the right: equal norms are octaves. Pitch rises with the gradient
            norm, one semitone each time it doubles: a norm of 1 is 220, 440 and 880 Hz. Updates and
            weights sound likewise, their ratio with 0.001 in place of 1. NaN, infinity and exact
            zero have sounds of their own; a bell is a spike, a chime something unusual, or a layer
            that leaves its group, and two short tones, up or down, a group that crosses norm 1.
          </p>
        </>
      )}
    </Dialog>
  );
}

const laneKeys = (): readonly (readonly [string, readonly Chord[]])[] => [
  ["The layer above, or below, with its norm and stream", ["ArrowUp", "ArrowDown"]],
  ["Hear only the stream of this layer", bound.value.soloHere],
  ["Back to the timeline", ["Escape"]],
];
