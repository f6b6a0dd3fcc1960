/** A button, and the popover that it opens: at hand, and out of sight until then. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

type Props = {
  readonly id: string;
  /** The name of the button and of what it opens. */
  readonly name: string;
  /** What is on the button; its name where nothing else is. */
  readonly face?: ComponentChildren;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
};

const EDGE_PIXELS = 8; // between a popover and the edge of the window

export function Menu({ id, name, face = name, title, children }: Props) {
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={opener}
        type="button"
        class="plain opener"
        popovertarget={id}
        aria-haspopup="dialog"
        aria-label={name}
        title={title}
      >
        {face}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={name}
        class="sheet"
        onBeforeToggle={({ newState, currentTarget }) => {
          if (newState === "open" && opener.current !== null)
            placeUnder(currentTarget, opener.current);
        }}
      >
        {children}
      </div>
    </>
  );
}

/** Under its button, from the side on which there is room. */
function placeUnder({ style }: HTMLElement, opener: HTMLElement): void {
  const { left, right, bottom } = opener.getBoundingClientRect();
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const fromLeft = left < width / 2;
  style.left = fromLeft ? `${Math.max(EDGE_PIXELS, left)}px` : "auto";
  style.right = fromLeft ? "auto" : `${Math.max(EDGE_PIXELS, width - right)}px`;
  style.top = `${Math.min(bottom + 4, height / 2)}px`;
  style.maxHeight = `${height - Math.min(bottom + 4, height / 2) - EDGE_PIXELS}px`;
  style.maxWidth = `${width - (fromLeft ? Math.max(EDGE_PIXELS, left) : Math.max(EDGE_PIXELS, width - right)) - EDGE_PIXELS}px`;
}
