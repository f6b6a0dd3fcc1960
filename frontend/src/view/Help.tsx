/** The keys, in a dialog. */

import { BINDINGS } from "../model/keys";
import { Dialog } from "./Dialog";

export function Help() {
  return (
    <Dialog name="help" title="Keys">
      <p>
        They work while the timeline has the focus: press Tab until it has, or click it. Space also
        plays and pauses where nothing else has the focus.
      </p>
      <table>
        <tbody>
          {BINDINGS.map(({ command, caps, does }) => (
            <tr key={command}>
              <th scope="row">
                {caps.map((cap) => (
                  <kbd key={cap}>{cap}</kbd>
                ))}
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>What you hear</h3>
      <p>
        Every note is one step of training, or a few in a long run. With the smooth sound, early
        layers are on the left, late layers on the right, and pitch rises with the gradient norm:
        one semitone each time it doubles. NaN, infinity and exact zero have sounds of their own.
      </p>
    </Dialog>
  );
}
