/** A dialog over the screen; Escape and its button close it. */

import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { dialog } from "../choices";

type Props = {
  readonly name: Exclude<typeof dialog.value, null>;
  readonly title: string;
  readonly children: ComponentChildren;
};

export function Dialog({ name, title, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useSignalEffect(() => {
    const open = dialog.value === name;
    if (element.current === null || open === element.current.open) return;
    if (open) element.current.showModal();
    else element.current.close();
  });
  const close = () => {
    if (dialog.peek() === name) dialog.value = null;
  };
  return (
    <dialog ref={element} aria-labelledby={`${name}-title`} onClose={close}>
      <h2 id={`${name}-title`}>{title}</h2>
      {children}
      <button type="button" class="play" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
