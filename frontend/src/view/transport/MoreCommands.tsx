/** All else that can be done: moments to go to, links, words, options, keys. */

import { bound, COMMANDS, type CommandName, run } from "../../actions/commands";
import { linkHere } from "../../actions/link";
import { framed } from "../../host";
import { noServer } from "../../server/site";
import { Keys } from "../parts/Button";

const ASK: readonly CommandName[] = ["describe", "showOptions", "showHelp", "copyLink"];

const TARGETS: readonly CommandName[] = [
  "goTo",
  "toStart",
  "toEnd",
  "lowest",
  "highest",
  "lowestOfAll",
  "highestOfAll",
  "previousEvent",
  "nextEvent",
  "previousRun",
  "nextRun",
];

export function MoreCommands() {
  return (
    <>
      <ul class="commands">
        {ASK.map((name) => (
          <Item key={name} name={name} />
        ))}
        {framed && noServer === null && (
          <li>
            <a
              href={linkHere(true)}
              target="_blank"
              rel="noopener"
              title="Without TensorBoard’s frame: best for screen readers, and a bookmark of its own"
            >
              Open in its own page
            </a>
          </li>
        )}
      </ul>
      <h2>Go to</h2>
      <ul class="commands">
        {TARGETS.map((name) => (
          <Item key={name} name={name} />
        ))}
      </ul>
    </>
  );
}

function Item({ name }: { name: CommandName }) {
  return (
    <li>
      <button type="button" class="plain" onClick={() => run(name)}>
        {COMMANDS[name].label}
        <span aria-hidden="true">
          <Keys chords={bound.value[name].slice(0, 1)} />
        </span>
      </button>
    </li>
  );
}
