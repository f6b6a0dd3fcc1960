/** What is heard and what is seen, in sentences, to be read and copied. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Quantity } from "../../model/quantity";
import { dialog, hearing, listening } from "../../state/choices";
import { descriptionResource } from "../../state/data";
import { lackWords, seenWords } from "../../state/playing";
import { lacksQuantity, nonNull, quantityOf, sides } from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Dialog } from "./Dialog";

const heard = () =>
  (listening.value === "one" ? [hearing.value] : SIDES).filter(
    (side) => sides.value[side] !== null,
  );

const NONE = { value: null, error: null };

/** What is to be asked for to describe a side; null where it has nothing of what is heard. */
function keyOf(side: Side): readonly [string, Quantity] | null {
  const run = sides.value[side];
  return run === null || lacksQuantity(side) ? null : [run, quantityOf(side)];
}

export function Describe() {
  useSignalEffect(() => {
    if (dialog.value === "describe") descriptionResource.refresh(nonNull(heard().map(keyOf)));
  });
  return (
    <Dialog name="describe" title="Description">
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
        {heard().map((side) => {
          const key = keyOf(side);
          const { value, error } = key === null ? NONE : descriptionResource.get(key);
          return (
            <p key={side} dir="auto">
              {lackWords(side) ?? value ?? error ?? "Loading…"}
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
