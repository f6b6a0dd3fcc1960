/** What one hears: each sound with its meaning, and to be heard. */

import { signal, useSignalEffect } from "@preact/signals";
import { lessonUrl } from "../../server/api";
import { volume } from "../../state/choices";
import { lessonResource } from "../../state/data";
import { Icon } from "../parts/Button";

/** The lesson that sounds. */
const playing = signal<string | null>(null);
const player = new Audio();
player.onended = () => {
  playing.value = null;
};

function toggle(name: string): void {
  player.pause();
  if (playing.value === name) {
    playing.value = null;
    return;
  }
  playing.value = name;
  player.src = lessonUrl(name);
  player.volume = volume.value;
  player.play().catch(() => {
    playing.value = null;
  });
}

export function SoundKey() {
  useSignalEffect(() => lessonResource.ensure([]));
  const { value, error } = lessonResource.get([]);
  if (value === null) return <p class="quiet">{error ?? "Loading…"}</p>;
  return (
    <section class="sound-key" aria-label="What you hear">
      <p class="quiet">
        Each step of the training is a note: three tones for the early, middle and late layers. A
        click on the curve plays from there.
      </p>
      <ul>
        {value.map(({ name, meaning }) => {
          const on = playing.value === name;
          return (
            <li key={name}>
              <button
                type="button"
                class="plain icon-only"
                aria-label={`${on ? "Stop" : "Play"}: ${meaning}`}
                aria-pressed={on}
                onClick={() => toggle(name)}
              >
                <Icon name={on ? "stop" : "play"} />
              </button>
              <span aria-hidden="true">{meaning}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
