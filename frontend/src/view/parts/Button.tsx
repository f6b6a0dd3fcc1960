/** Buttons: of the table of commands, of a mixing desk, of menus; and icons, keys and letters of runs. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { COMMANDS, type CommandName, keyWords, run } from "../../actions/commands";
import { ICONS, type IconName } from "../../draw/icons";
import { type Chord, capsOf } from "../../model/keys";
import { lineColours, manyRuns } from "../../state/runs";
import type { Side } from "../../units";

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

/** Which of the two runs is meant, where there are two. */
export function Letter({ side }: { side: Side }) {
  if (!manyRuns.value) return null;
  return (
    <span class="letter" style={{ "--line": lineColours[side].value }}>
      {side.toUpperCase()}
    </span>
  );
}

type MenuProps = {
  readonly id: string;
  /** The name of the button and of what it opens. */
  readonly name: string;
  /** What is on the button; its name where nothing else is. */
  readonly face?: ComponentChildren;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
};

const EDGE_PIXELS = 8; // between a popover and the edge of the window

/** A button, and the popover that it opens: at hand, and out of sight until then. */
export function Menu({ id, name, face = name, title, children }: MenuProps) {
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={opener}
        type="button"
        class="plain opener"
        popovertarget={id}
        aria-haspopup="dialog"
        aria-label={name}
        title={title}
      >
        {face}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={name}
        class="sheet"
        onBeforeToggle={({ newState, currentTarget }) => {
          if (newState === "open" && opener.current !== null)
            placeUnder(currentTarget, opener.current);
        }}
      >
        {children}
      </div>
    </>
  );
}

/** Under its button, from the side on which there is room. */
function placeUnder({ style }: HTMLElement, opener: HTMLElement): void {
  const { left, right, bottom } = opener.getBoundingClientRect();
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const fromLeft = left < width / 2;
  style.left = fromLeft ? `${Math.max(EDGE_PIXELS, left)}px` : "auto";
  style.right = fromLeft ? "auto" : `${Math.max(EDGE_PIXELS, width - right)}px`;
  style.top = `${Math.min(bottom + 4, height / 2)}px`;
  style.maxHeight = `${height - Math.min(bottom + 4, height / 2) - EDGE_PIXELS}px`;
  style.maxWidth = `${width - (fromLeft ? Math.max(EDGE_PIXELS, left) : Math.max(EDGE_PIXELS, width - right)) - EDGE_PIXELS}px`;
}
