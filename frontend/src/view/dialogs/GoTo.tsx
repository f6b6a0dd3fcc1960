/** One field for where to go: a step, a percentage, an event, a layer, a run. */

import { useSignal } from "@preact/signals";
import { findTarget } from "../../actions/goTo";
import { focusTimeline } from "../../actions/moving";
import { dialog } from "../../state/choices";
import { Dialog } from "./Dialog";

export function GoTo() {
  return (
    <Dialog name="goTo" title="Go to" ownFocus>
      {() => <Where />}
    </Dialog>
  );
}

function Where() {
  const text = useSignal("");
  const target = findTarget(text.value);
  return (
    <form
      class="palette"
      onSubmit={(event) => {
        event.preventDefault();
        if (target === null) return;
        dialog.value = null;
        event.currentTarget.closest("dialog")?.close(); // gives the focus back to where it was
        focusTimeline();
        target.go();
      }}
    >
      <label>
        Step, percent, event, layer or run
        <input
          type="text"
          autocomplete="off"
          spellcheck={false}
          autofocus
          aria-describedby="goTo-where"
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        />
      </label>
      <p id="goTo-where" role="status" class="quiet">
        {target?.words ?? (text.value === "" ? EXAMPLES : "Nothing of that name here")}
      </p>
      <button type="submit" disabled={target === null}>
        Go
      </button>
    </form>
  );
}

const EXAMPLES = "For instance 100, 50 %, nan, max, or a part of the name of a layer or run";
