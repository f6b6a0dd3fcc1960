/** The letter of a side, in the colour of its run. */

import { lineColours, manyRuns } from "../../state/runs";
import type { Side } from "../../units";

/** Which of the two runs is meant, where there are two. */
export function Letter({ side }: { side: Side }) {
  if (!manyRuns.value) return null;
  return (
    <span class="letter" style={{ "--line": lineColours[side].value }}>
      {side.toUpperCase()}
    </span>
  );
}
