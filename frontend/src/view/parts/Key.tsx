/** A key of a mixing desk, solo or mute, which stays down. */

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
