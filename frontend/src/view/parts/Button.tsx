/** Buttons: icons, keys as they look, keys of a mixing desk, and buttons made from the table of commands. */

import { COMMANDS, type CommandName, keyWords, run } from "../../actions/commands";
import { ICONS, type IconName } from "../../draw/icons";
import { type Chord, capsOf } from "../../model/keys";

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      <path fill="currentColor" fill-rule="evenodd" d={ICONS[name]} />
    </svg>
  );
}

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

type KeyProps = {
  readonly letter: "S" | "M";
  readonly does: string;
  readonly on: boolean;
  readonly press: () => void;
  /** The element that says why it can't be pressed; null where it can. */
  readonly off?: string | null;
  readonly tabIndex?: number;
};

export function Key({ letter, does, on, press, off = null, tabIndex = 0 }: KeyProps) {
  return (
    <button
      type="button"
      class={`key ${letter === "S" ? "solo" : "mute"}`}
      tabIndex={tabIndex}
      aria-pressed={on}
      aria-label={does}
      title={does}
      disabled={off !== null}
      aria-describedby={off ?? undefined}
      onClick={press}
    >
      {letter}
    </button>
  );
}

type Props = {
  readonly name: CommandName;
  readonly class?: string;
  /** What it says and shows, if that is not always the same. */
  readonly label?: string;
  readonly icon?: IconName;
  /** Whether its label is only spoken. */
  readonly iconOnly?: boolean;
};

/** It says its label; its title is the sentence, why it is disabled, and its key. */
export function CommandButton({ name, class: className, label, icon, iconOnly = false }: Props) {
  const command = COMMANDS[name];
  const shown = icon ?? command.icon;
  const why = command.disabled?.() ?? null;
  const key = keyWords(name);
  const says = label ?? command.label ?? command.words;
  return (
    <button
      type="button"
      class={className}
      aria-label={iconOnly ? says : undefined}
      aria-pressed={command.pressed?.()}
      disabled={why !== null}
      title={`${why ?? command.words}${key === null ? "" : ` (${key})`}`}
      onClick={() => run(name)}
    >
      {shown !== undefined && <Icon name={shown} />}
      {!iconOnly && says}
    </button>
  );
}
