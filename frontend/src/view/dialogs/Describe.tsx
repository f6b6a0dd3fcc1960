/** What is heard and what is seen, in sentences, to be read and copied. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { descriptionShelf } from "../../server/data";
import { dialog, hearing, listening } from "../../state/choices";
import { seenWords } from "../../state/seeing";
import { present, sides } from "../../state/store";
import { SIDES } from "../../units";
import { Dialog } from "./Dialog";

const heard = () =>
  present((listening.value === "one" ? [hearing.value] : SIDES).map((side) => sides.value[side]));

export function Describe() {
  useSignalEffect(() => {
    if (dialog.value === "describe") descriptionShelf.refresh(heard().map((run) => [run]));
  });
  return (
    <Dialog name="describe" title="In words">
      {() => <Words />}
    </Dialog>
  );
}

function Words() {
  const text = useRef<HTMLElement>(null);
  const copied = useSignal("");
  return (
    <>
      <section class="words" ref={text}>
        {heard().map((run) => {
          const { value, error } = descriptionShelf.get([run]);
          return (
            <p key={run} dir="auto">
              {value ?? error ?? "Loading…"}
            </p>
          );
        })}
        <h3>What is seen</h3>
        <p>{seenWords()}</p>
      </section>
      <p class="buttons">
        <button
          type="button"
          onClick={() => {
            if (text.current === null) return;
            copied.value = copy(text.current) ? "Copied" : "Select the text, and copy it by hand";
          }}
        >
          Copy
        </button>
        <span role="status">{copied.value}</span>
      </p>
    </>
  );
}

/** Copy what an element says; the old way, because the new one needs https. */
function copy(element: HTMLElement): boolean {
  const selection = window.getSelection();
  selection?.selectAllChildren(element);
  return document.execCommand("copy");
}
