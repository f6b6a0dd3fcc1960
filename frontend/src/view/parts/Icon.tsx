/** Pictures on buttons. The words beside them are their names. */

import { ICONS, type IconName } from "../../draw/icons";

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      <path fill="currentColor" fill-rule="evenodd" d={ICONS[name]} />
    </svg>
  );
}
