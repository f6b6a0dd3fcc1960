/** A button made from the table of commands. */

import { COMMANDS, type CommandName, keyWords, run } from "../../actions/commands";
import type { IconName } from "../../draw/icons";
import { Icon } from "./Icon";

type Props = {
  readonly name: CommandName;
  readonly class?: string;
  /** What it says and shows, if that is not always the same. */
  readonly label?: string;
  readonly icon?: IconName;
  /** Whether its label is only spoken. */
  readonly iconOnly?: boolean;
};

/** It says its label; its title is the sentence, why it is disabled, and its key. */
export function CommandButton({ name, class: className, label, icon, iconOnly = false }: Props) {
  const command = COMMANDS[name];
  const shown = icon ?? command.icon;
  const why = command.disabled?.() ?? null;
  const key = keyWords(name);
  const says = label ?? command.label ?? command.words;
  return (
    <button
      type="button"
      class={className}
      aria-label={iconOnly ? says : undefined}
      aria-pressed={command.pressed?.()}
      disabled={why !== null}
      title={`${why ?? command.words}${key === null ? "" : ` (${key})`}`}
      onClick={() => run(name)}
    >
      {shown !== undefined && <Icon name={shown} />}
      {!iconOnly && says}
    </button>
  );
}
