/** The landmarks of A and B, as marks on the curve and as buttons that play them. */

import { playEvent } from "../../actions/commands";
import { pixelOf } from "../../model/axis";
import { eventWords, glyphOf } from "../../model/events";
import { WORDS } from "../../model/quantity";
import { axis, xAt } from "../../state/axes";
import { type Event, events, landmarkKeys } from "../../state/landmarks";
import { lineColours, quantity } from "../../state/store";
import { Letter } from "./Readout";

const MOST_SHOWN = 200;

export function Events() {
  const all = events.value;
  if (landmarkKeys().length === 0) return null;
  return (
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">
        Landmarks <span class="count">{all.length}</span>
      </h2>
      {all.length === 0 ? (
        <p class="quiet">None: nothing unusual in the {WORDS[quantity.value].value}s.</p>
      ) : (
        <ul class="events">
          {all.slice(0, MOST_SHOWN).map((event) => (
            <li key={keyOf(event)}>
              <button type="button" class="plain" onClick={() => playEvent(event)}>
                <Letter side={event.side} />
                <span dir="auto">{eventWords(event)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const keyOf = ({ side, step, sentence }: Event): string => `${side} ${step} ${sentence}`;

/** Where the landmarks are; what they are is told by shape, and in the list. */
export function Marks() {
  const place = axis.value;
  if (place === null) return null;
  const seen = events.value.filter(({ side, step }) => {
    const x = xAt(side, step);
    return place.from <= x && x <= place.to;
  });
  return (
    <div class="marks" aria-hidden="true">
      {seen.slice(0, MOST_SHOWN).map((event) => (
        <Mark key={keyOf(event)} event={event} place={place} />
      ))}
    </div>
  );
}

function Mark({ event, place }: { event: Event; place: NonNullable<typeof axis.value> }) {
  return (
    <span
      class={`mark ${event.side}`}
      style={{
        "--line": lineColours[event.side].value,
        transform: `translateX(${pixelOf(place, xAt(event.side, event.step))}px)`,
      }}
    >
      {glyphOf(event.kind)}
    </span>
  );
}
