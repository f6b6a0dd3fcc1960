/** Components of a part of the script that is loaded right after the first picture. */

import { effect, signal } from "@preact/signals";
import type { ComponentProps, ComponentType } from "preact";
import { dialog, reviewField } from "../../state/choices";
import { announcer } from "../../state/playing";

type Part = typeof import("../later");

/** All of them; null until they are here. */
const part = signal<Part | null>(null);

const RETRY_MS = 5_000;

/** Load them now, and again where one of them is wanted, or after a while, and they are not here. */
export function loadLater(): void {
  const failures = signal(0);
  effect(() => {
    void failures.value;
    const wanted = dialog.value !== null || reviewField.value !== null;
    if (part.peek() !== null) return;
    import("../later").then(
      (loaded) => {
        if (part.peek() !== null) return;
        const style = document.createElement("style");
        style.textContent = loaded.style;
        document.head.append(style);
        part.value = loaded;
      },
      () => {
        window.setTimeout(() => failures.value++, RETRY_MS);
        if (!wanted) return;
        dialog.value = null;
        reviewField.value = null;
        announcer.say("That could not be loaded: the server does not answer");
      },
    );
  });
}

type Name = Exclude<keyof Part, "style">;
type Props<Key extends Name> = { readonly name: Key } & ComponentProps<Part[Key]>;

export function Later<Key extends Name>({ name, ...props }: Props<Key>) {
  const Component = part.value?.[name] as ComponentType<object> | undefined;
  return Component === undefined ? null : <Component {...props} />;
}
