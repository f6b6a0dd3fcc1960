/** What is found by typing: commands by their names, and places to go to. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { bound, COMMAND_NAMES, COMMANDS, type CommandName, run } from "../../actions/commands";
import { findTarget } from "../../actions/goTo";
import { focusTimeline } from "../../actions/moving";
import { matchRank } from "../../model/words";
import { dialog } from "../../state/choices";
import { Keys } from "../parts/Button";
import { Dialog } from "./Dialog";

export function Palette() {
  return (
    <Dialog name="palette" title="Commands" ownFocus>
      {() => <Search />}
    </Dialog>
  );
}

function matching(query: string): readonly CommandName[] {
  return COMMAND_NAMES.flatMap((name) => {
    const { words, label = "" } = COMMANDS[name];
    const ranks = [label, words].flatMap((text) => matchRank(query, text) ?? []);
    return name === "showPalette" || ranks.length === 0 ? [] : [{ name, rank: Math.min(...ranks) }];
  })
    .sort((one, other) => one.rank - other.rank)
    .map(({ name }) => name);
}

/** Down and up choose, Enter does it; what cannot be done now says why, and stays. */
function Search() {
  const query = useSignal("");
  const at = useSignal(0);
  const refused = useSignal("");
  const list = useRef<HTMLDivElement>(null);
  const found = matching(query.value);
  const chosen = found[at.value];
  useEffect(() => list.current?.children[at.value]?.scrollIntoView({ block: "nearest" }));
  const call = (name: CommandName) => {
    const why = COMMANDS[name].disabled?.() ?? null;
    refused.value = why ?? "";
    if (why !== null) return;
    dialog.value = null;
    list.current?.closest("dialog")?.close(); // gives the focus back, before it goes elsewhere
    run(name);
  };
  const moved: Readonly<Record<string, number>> = {
    ArrowDown: (at.value + 1) % found.length,
    ArrowUp: (at.value + found.length - 1) % found.length,
    PageDown: Math.min(at.value + 8, found.length - 1),
    PageUp: Math.max(at.value - 8, 0),
  };
  const count = found.length === 1 ? "1 command" : `${found.length || "No"} commands`;
  return (
    <div class="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Find a command"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls="palette-list"
        aria-activedescendant={chosen === undefined ? undefined : `palette-${chosen}`}
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={query.value}
        onInput={({ currentTarget }) => {
          query.value = currentTarget.value;
          at.value = 0;
          refused.value = "";
        }}
        onKeyDown={(event) => {
          const to = moved[event.key];
          if (event.key === "Enter" && chosen !== undefined) call(chosen);
          else if (to !== undefined && found.length > 0) at.value = to;
          else return;
          event.preventDefault();
        }}
      />
      <p role="status" class="quiet">
        {refused.value || count}
      </p>
      <div role="listbox" id="palette-list" aria-label="Commands" ref={list}>
        {found.map((name, index) => (
          <Option key={name} name={name} selected={index === at.value} call={call} />
        ))}
      </div>
    </div>
  );
}

type OptionProps = {
  readonly name: CommandName;
  readonly selected: boolean;
  readonly call: (name: CommandName) => void;
};

function Option({ name, selected, call }: OptionProps) {
  const why = COMMANDS[name].disabled?.() ?? null;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the combobox keeps the focus
    // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keys
    <div
      role="option"
      id={`palette-${name}`}
      aria-selected={selected}
      aria-disabled={why !== null}
      onClick={() => call(name)}
    >
      <span>
        {COMMANDS[name].words}
        {why !== null && <span class="quiet"> {why}</span>}
      </span>
      {bound.value[name].length > 0 && <Keys chords={bound.value[name].slice(0, 1)} />}
    </div>
  );
}

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
