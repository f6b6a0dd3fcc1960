/** Layers over steps as colours: a lane for A, one for B, and how they compare. */

import { useRef } from "preact/hooks";
import {
  focusRow,
  laneName,
  moveRow,
  pointed,
  sayRow,
  soloRow,
  toggleModule,
} from "../../actions/layerFocus";
import { letGo } from "../../actions/pointer";
import { chordOf } from "../../model/keys";
import { laneHeight, type Row, rowAt, rowEdges } from "../../model/rows";
import { axis } from "../../state/axes";
import { layerFilter } from "../../state/choices";
import { focusedIndex, type Lane, lanes, rows } from "../../state/layers";
import { keymap } from "../../state/preferences";
import { several } from "../../state/store";
import { LaneCanvas } from "./LaneCanvas";
import { RowLabels, RowModules } from "./RowLabels";

export function Heatmaps() {
  if (lanes.value.length === 0) return null;
  return (
    <div class="heatmaps">
      {lanes.value.map((lane) => (
        <LaneSurface key={lane} lane={lane} />
      ))}
    </div>
  );
}

/** Its keys are the timeline's, which hears those that are not taken here. */
function LaneSurface({ lane }: { lane: Lane }) {
  const root = useRef<HTMLDivElement>(null);
  const place = axis.value;
  const own = rows[lane].value;
  if (place === null) return null;
  const edges = rowEdges(own.length, focusedIndex(lane));
  const under = ({ clientX, clientY }: MouseEvent): { row: Row | undefined; x: number } => {
    const { left, top } = root.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { row: own[rowAt(edges, clientY - top)], x: clientX - left - place.left };
  };
  /** Beside the plot, a click is for the module there. */
  const beside = (event: MouseEvent): string | null => {
    const { row, x } = under(event);
    if (x < 0) event.stopPropagation();
    return x < 0 ? (row?.module ?? null) : null;
  };
  return (
    <div
      ref={root}
      class={`heatmap ${lane}`}
      role="application"
      tabIndex={0}
      aria-roledescription="heat-map"
      aria-label={laneName(lane)}
      aria-describedby="lane-keys"
      style={{ height: `${laneHeight(own.length)}px` }}
      onFocus={(event) => {
        const [first] = own;
        if (!event.currentTarget.matches(":focus-visible") || first === undefined) return;
        if (focusedIndex(lane) < 0) focusRow(first);
        sayRow(lane);
      }}
      onKeyDown={(event) => {
        const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
        if (plain && event.key === "ArrowUp") moveRow(lane, -1);
        else if (plain && event.key === "ArrowDown") moveRow(lane, 1);
        else if (plain && event.key === "Escape") {
          if (!letGo()) root.current?.closest<HTMLElement>(".timeline")?.focus();
        } else if (keymap.value.get(chordOf(event) ?? "") === "soloHere") soloRow(lane);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        beside(event);
        const { row, x } = under(event);
        if (event.pointerType === "mouse" && x >= 0 && row !== undefined) focusRow(row);
      }}
      onClick={(event) => {
        const module = beside(event);
        const { row, x } = under(event);
        if (module !== null) toggleModule(module);
        else if (event.detail > 0 && x >= 0 && row !== undefined) focusRow(row);
      }}
      onDblClick={beside}
      onPointerMove={(event) => {
        if (event.pointerType !== "mouse") return;
        const { row, x } = under(event);
        const pixel = Math.floor(x);
        const last = pointed.peek();
        if (row === undefined || x < 0 || x >= place.width) pointed.value = null;
        else if (last?.row.key !== row.key || last.pixel !== pixel || last.lane !== lane) {
          pointed.value = { lane, row, pixel };
        }
      }}
      onPointerLeave={() => {
        pointed.value = null;
      }}
    >
      <span class="letter" aria-hidden="true">
        {lane === "difference" ? "A∕B" : several.value && lane.toUpperCase()}
      </span>
      <RowModules rows={own} edges={edges} width={place.left} />
      <div class="plate" style={{ left: `${place.left}px`, width: `${place.width}px` }}>
        <LaneCanvas lane={lane} />
        <RowLabels lane={lane} rows={own} edges={edges} />
        {own.length === 0 && layerFilter.value.trim() !== "" && (
          <p class="none">No layer has “{layerFilter.value.trim()}” in its name.</p>
        )}
      </div>
    </div>
  );
}
