/** The layer groups by depth, and the drawn curve: each can be heard alone, or not at all. */

import { soloedStreams } from "../../state/choices";
import { CURVE } from "../../state/hearing";
import { isMuted, soloStream, streams, toggleStream } from "../../state/mix";
import { tag } from "../../state/runs";
import { Key } from "../parts/Key";

export function Streams() {
  const desk = streams.value;
  if (desk === null) return null;
  const { names, fixed, mute } = desk;
  return (
    <section class="streams" aria-labelledby="streams-title">
      <h2 id="streams-title">Layer groups</h2>
      <ul>
        {names.length > 1 &&
          names.map((name) => (
            <Stream key={name} name={name} off={fixed === null ? null : "streams-fixed"} />
          ))}
        <Stream name={CURVE} words={tag.value ?? ""} off={mute === null ? null : "curve-silent"} />
      </ul>
      {fixed !== null && (
        <p class="quiet" id="streams-fixed">
          {fixed}
        </p>
      )}
      {mute !== null && (
        <p class="quiet" id="curve-silent">
          {mute}
        </p>
      )}
    </section>
  );
}

type Props = {
  readonly name: string;
  readonly words?: string;
  /** The element that says why nothing can be done here; null where it can. */
  readonly off: string | null;
};

function Stream({ name, words, off }: Props) {
  const does = words === undefined ? name : `${name}, ${words}`;
  return (
    <li>
      <span class="name" dir="auto" title={does}>
        {words ?? name}
      </span>
      <Key
        letter="S"
        does={`Solo ${does}`}
        on={soloedStreams.value.has(name)}
        press={() => soloStream(name)}
        off={off}
        tabIndex={0}
      />
      <Key
        letter="M"
        does={`Mute ${does}`}
        on={(off === null || name === CURVE) && isMuted(name)}
        press={() => toggleStream(name)}
        off={off}
        tabIndex={0}
      />
    </li>
  );
}
