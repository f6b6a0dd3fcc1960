/** Keys as they look on the keyboard. */

import { type Chord, capsOf } from "../../model/keys";

export function Keys({ chords }: { chords: readonly Chord[] }) {
  if (chords.length === 0) return <span class="quiet">none</span>;
  return (
    <span class="chords">
      {chords.map((chord, at) => (
        <span key={chord}>
          {at > 0 && <span class="quiet">or </span>}
          {capsOf(chord).map((cap) => (
            <kbd key={cap}>{cap}</kbd>
          ))}
        </span>
      ))}
    </span>
  );
}
