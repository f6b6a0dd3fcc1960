/** The components that are loaded after the first paint. */

import { effect, signal } from "@preact/signals";
import { dialog, reviewField } from "../../state/choices";
import { announcer } from "../../state/playing";

/** All of them; null until they are here. */
export const later = signal<typeof import("../Later") | null>(null);

/** Load them now, and again where one of them is wanted and they are not here. */
export function loadLater(): void {
  effect(() => {
    const wanted = dialog.value !== null || reviewField.value !== null;
    if (later.peek() !== null) return;
    import("../Later").then(
      (loaded) => {
        later.value = loaded;
      },
      () => {
        if (!wanted) return;
        dialog.value = null;
        reviewField.value = null;
        announcer.say("That could not be loaded: the server does not answer");
      },
    );
  });
}
