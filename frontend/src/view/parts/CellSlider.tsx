/** A slider in a grid, where the arrows belong to the grid until they are given to the slider. */

import { useSignal } from "@preact/signals";
import { announcer } from "../../state/playing";

type Props = {
  readonly label: string;
  readonly value: number;
  readonly words: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly change: (value: number) => void;
  readonly reset: () => void;
};

export function CellSlider({ label, value, words, min, max, step, change, reset }: Props) {
  const held = useSignal(false);

  function onKeyDown(event: KeyboardEvent & { currentTarget: HTMLInputElement }): void {
    const { key, currentTarget } = event;
    const by = { "+": step, "=": step, "-": -step }[key];
    if (key === "Enter" || key === "F2" || (key === "Escape" && held.value)) {
      held.value = !held.value;
      announcer.say(held.value ? `${label}: ${words}. Arrows change it, Escape leaves it` : words);
    } else if (key === "Delete" || key === "Backspace") {
      reset();
    } else if (by !== undefined) {
      change(Math.max(min, Math.min(max, currentTarget.valueAsNumber + by)));
    } else {
      if (held.value) event.stopPropagation();
      return;
    }
    event.stopPropagation();
    event.preventDefault();
  }

  return (
    <input
      type="range"
      class={held.value ? "held" : ""}
      tabIndex={-1}
      min={min}
      max={max}
      step={step}
      value={value}
      title={`${label}: ${words}. Double click, or Delete, for what it was.`}
      aria-label={label}
      aria-valuetext={words}
      onInput={({ currentTarget }) => change(currentTarget.valueAsNumber)}
      onDblClick={reset}
      onPointerDown={() => {
        held.value = true;
      }}
      onBlur={() => {
        held.value = false;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
