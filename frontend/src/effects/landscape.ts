/** Loads the loss landscape of what is shown; started with the part that is loaded later. */

import { effect, untracked } from "@preact/signals";
import { late } from "../actions/commands";
import { stripKeys, stripResource, surfaceKeys, surfaceResource } from "../state/landscape";

export function startLandscape(): void {
  effect(() => stripResource.only(stripKeys()));
  effect(() => surfaceResource.only(surfaceKeys()));
  late.refresh = (grown) => {
    const keys = untracked(stripKeys);
    if (grown === null) {
      stripResource.refresh(keys);
      surfaceResource.refresh(untracked(surfaceKeys));
    } else stripResource.renew(keys.filter(([run]) => grown.includes(run)));
  };
}
