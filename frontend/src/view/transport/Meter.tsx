/** How loud left and right are: that it moves shows that there is sound. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { isPlaying, player } from "../../state/playing";
import { reducedMotion } from "../../state/runs";
import { inEachFrame } from "../parts/frames";

const RANGE_DB = 48; // below full scale that are seen

/** From 0 to 1, by ear. */
const shareOf = (peak: number): number => Math.max(0, 1 + (20 * Math.log10(peak)) / RANGE_DB);

export function Meter() {
  const root = useRef<HTMLDivElement>(null);

  useSignalEffect(() => {
    const bars = [...(root.current?.querySelectorAll("i") ?? [])];
    const show = (levels: readonly number[]) => {
      bars.forEach((bar, side) => {
        bar.style.transform = `scaleX(${shareOf(levels[side] ?? 0).toFixed(3)})`;
      });
    };
    show([0, 0]);
    if (!isPlaying() || reducedMotion.value) return;
    return inEachFrame(() => show(player.levels()));
  });

  return (
    <div class="level" ref={root} aria-hidden="true">
      <i />
      <i />
    </div>
  );
}
