/** A dialog over the screen; Escape and its button close it. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { dialog } from "../../state/choices";

type Props = {
  readonly name: NonNullable<typeof dialog.value>;
  readonly title: string;
  /** Whether something in it has the focus first. */
  readonly ownFocus?: boolean;
  readonly children: () => ComponentChildren;
};

/** What is in it is made when it is opened. */
export function Dialog({ name, title, ownFocus = false, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const open = dialog.value === name;
  // At once, so that what is typed next is typed into it.
  useLayoutEffect(() => {
    if (open) element.current?.showModal();
    else element.current?.close();
  }, [open]);
  const close = () => {
    if (dialog.peek() === name) dialog.value = null;
  };
  return (
    <dialog ref={element} aria-labelledby={`${name}-title`} onClose={close}>
      <header>
        {/* Has the focus first, so that a long dialog is read from its beginning. */}
        <h2 id={`${name}-title`} tabIndex={-1} autofocus={!ownFocus}>
          {title}
        </h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      {open && children()}
    </dialog>
  );
}
