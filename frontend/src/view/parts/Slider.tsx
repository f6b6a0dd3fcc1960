/** A slider that a double click, or Delete, sets back. */

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

export function Slider({ label, value, words, min, max, step, change, reset }: Props) {
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
