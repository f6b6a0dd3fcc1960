/** How the curves are drawn: what is along x, log or linear, smoothed, from where to where. */

import { chooseMeasure, setLog, setSmoothing } from "../../actions/sound";
import { fit, zoomTo } from "../../actions/zoom";
import { formatX, MEASURES, type Measure } from "../../model/axis";
import { domain, seen } from "../../state/axis";
import { measure, smoothing, viewport } from "../../state/choices";
import { log } from "../../state/runs";
import { Choice, Field } from "../parts/Field";

const NAMES: Readonly<Record<Measure, string>> = {
  step: "Steps",
  time: "Time",
  clock: "Clock time",
  share: "Share of the run",
};

export function ViewSettings() {
  return (
    <div class="settings">
      <Choice
        id="measure"
        label="Along x"
        title="Runs that lie above one another are heard together"
        options={MEASURES.map((each) => [each, NAMES[each]])}
        value={measure.value}
        choose={chooseMeasure}
      />
      <Field id="log" label="Log y axis">
        <input
          id="log"
          type="checkbox"
          checked={log.value}
          onChange={(event) => setLog(event.currentTarget.checked)}
        />
      </Field>
      <Field id="smoothing" label="Smoothing">
        <input
          id="smoothing"
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing.value}
          aria-valuetext={smoothing.value === 0 ? "none" : String(smoothing.value)}
          onInput={(event) => setSmoothing(event.currentTarget.valueAsNumber)}
        />
      </Field>
      <Edges />
    </div>
  );
}

/** The edges of what is seen as numbers, for those who cannot drag; in steps, or in the unit of x. */
function Edges() {
  const unit = measure.value === "share" ? 100 : 1;
  const [from, to] = seen.value;
  if (measure.value === "clock") {
    return (
      <p class="edges">
        {formatX("clock", from, to - from)} to {formatX("clock", to, to - from)} <FitButton />
      </p>
    );
  }
  const digits = Math.max(0, 2 - Math.floor(Math.log10(unit * (to - from))));
  const change = (edge: 0 | 1, value: number) => {
    if (!Number.isFinite(value)) return;
    const moved = edge === 0 ? [value / unit, to] : [from, value / unit];
    zoomTo([Math.min(...moved), Math.max(...moved)]);
  };
  return (
    <fieldset class="edges">
      <legend class="hidden">What is seen</legend>
      <Edge label="From" value={from * unit} digits={digits} change={(value) => change(0, value)} />
      <Edge label="to" value={to * unit} digits={digits} change={(value) => change(1, value)} />
      <FitButton />
    </fieldset>
  );
}

function Edge(props: {
  label: string;
  value: number;
  digits: number;
  change: (value: number) => void;
}) {
  const id = `edge-${props.label}`;
  return (
    <Field id={id} label={props.label}>
      <input
        id={id}
        type="number"
        step="any"
        value={String(Number(props.value.toFixed(props.digits)))}
        onChange={(event) => props.change(event.currentTarget.valueAsNumber)}
      />
    </Field>
  );
}

function FitButton() {
  const [from, to] = domain.value;
  return (
    <button
      type="button"
      class="plain"
      disabled={viewport.value === null || from >= to}
      onClick={fit}
    >
      Show all
    </button>
  );
}
