/** Where the playhead can go, as a menu: for those whose keyboards lack the keys. */

import { useRef } from "preact/hooks";
import { COMMANDS } from "../../actions/commands";
import { moveTo } from "../../actions/moving";
import type { Command } from "../../model/keys";
import { here } from "../../state/playing";
import { bound } from "../../state/preferences";
import { Keys } from "../dialogs/Keys";

const TARGETS: readonly (readonly [Command, string])[] = [
  ["toStart", "First step"],
  ["toEnd", "Last step"],
  ["lowest", "Lowest value"],
  ["highest", "Highest value"],
  ["lowestOfAll", "Lowest of all shown"],
  ["highestOfAll", "Highest of all shown"],
  ["previousEvent", "Landmark before"],
  ["nextEvent", "Next landmark"],
  ["previousRun", "Run before"],
  ["nextRun", "Next run"],
];

export function GoTo() {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  return (
    <details
      class="menu"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        close();
        menu.current?.querySelector("summary")?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        const inside = relatedTarget instanceof Node && menu.current?.contains(relatedTarget);
        if (relatedTarget !== null && !inside) close();
      }}
    >
      <summary>Go to</summary>
      <div class="sheet">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const step = new FormData(event.currentTarget).get("step");
            moveTo(Number(step));
          }}
        >
          <label>
            Step{" "}
            <input
              name="step"
              type="number"
              required
              defaultValue={String(Math.floor(here.peek()))}
            />
          </label>
          <button type="submit">Go</button>
        </form>
        <ul>
          {TARGETS.map(([command, title]) => (
            <li key={command}>
              <button type="button" class="plain" onClick={COMMANDS[command]}>
                {title}
                <span aria-hidden="true">
                  <Keys chords={bound.value[command].slice(0, 1)} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
