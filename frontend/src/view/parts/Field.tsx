/** Controls with their labels, and sliders that can be set back. */

import type { ComponentChildren } from "preact";

type Props<Value> = {
  readonly id: string;
  readonly label: string;
  /** Each with the words that it is offered in, and whether it can be chosen. */
  readonly options: readonly (readonly [Value, string, boolean?])[];
  readonly value: Value;
  readonly choose: (value: Value) => void;
  readonly disabled?: boolean;
  readonly title?: string;
};

export function Choice<Value>({ id, label, options, value, choose, ...others }: Props<Value>) {
  return (
    <Field id={id} label={label}>
      <select
        id={id}
        {...others}
        value={String(value)}
        onChange={({ currentTarget }) => {
          const chosen = options[currentTarget.selectedIndex];
          // What is chosen may be refused, or come to another value; then that is shown.
          currentTarget.value = String(value);
          if (chosen !== undefined) choose(chosen[0]);
        }}
      >
        {options.map(([each, words, offered = true]) => (
          <option key={String(each)} value={String(each)} disabled={!offered}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function Field(props: { id: string; label: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label htmlFor={props.id}>{props.label}</label>
      {props.children}
    </div>
  );
}

type CheckProps = {
  readonly on: boolean;
  readonly set: (on: boolean) => void;
  readonly disabled?: boolean;
  /** The element that says more of it. */
  readonly describedBy?: string | undefined;
  readonly children: string;
};

export function Check({ on, set, disabled = false, describedBy, children }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={on}
        disabled={disabled}
        aria-describedby={describedBy}
        onChange={({ currentTarget }) => set(currentTarget.checked)}
      />
      {children}
    </label>
  );
}

type SliderProps = {
  readonly label: string;
  readonly value: number;
  readonly words: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly change: (value: number) => void;
  readonly reset: () => void;
};

export function Slider({ label, value, words, min, max, step, change, reset }: SliderProps) {
  return (
    <input
      type="range"
      min={min}
      max={max}
      step={step}
      value={value}
      title={`${label}: ${words}. Double click, or Delete, sets it back.`}
      aria-label={label}
      aria-valuetext={words}
      onInput={({ currentTarget }) => change(currentTarget.valueAsNumber)}
      onDblClick={reset}
      onKeyDown={({ key }) => {
        if (key === "Delete" || key === "Backspace") reset();
      }}
    />
  );
}
