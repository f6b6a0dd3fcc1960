/** What has happened: the landmarks of A and B, and the log of what was told. */

import { playLandmark } from "../../actions/review";
import { eventWords } from "../../model/landmarks";
import { WORDS } from "../../model/quantity";
import { announcer, landmarkKeys, landmarks, type SideLandmark } from "../../state/playing";
import { quantity } from "../../state/runs";
import { Letter } from "../parts/Button";

const MOST_SHOWN = 200;

export function Events() {
  const all = landmarks.value;
  if (landmarkKeys().length === 0) return null;
  return (
    <section aria-labelledby="events-title">
      <h2 id="events-title">
        Landmarks <span class="count">{all.length}</span>
      </h2>
      {all.length === 0 ? (
        <p class="quiet">None: nothing unusual in the {WORDS[quantity.value].value}s.</p>
      ) : (
        <ul class="events">
          {all.slice(0, MOST_SHOWN).map((event) => (
            <li key={keyOf(event)}>
              <button type="button" class="plain" onClick={() => playLandmark(event)}>
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

const keyOf = ({ side, step, sentence }: SideLandmark): string => `${side} ${step} ${sentence}`;

export function Log() {
  const entries = announcer.log.value;
  return (
    <div role="log" aria-live="off" aria-label="What has happened">
      {entries.length === 0 && <p class="quiet">Nothing has happened by itself yet.</p>}
      <ol class="log">
        {entries.map(({ number, text, times }) => (
          <li key={number}>
            <span dir="auto">{text}</span>
            {times > 1 && <span class="count"> ×{times}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
