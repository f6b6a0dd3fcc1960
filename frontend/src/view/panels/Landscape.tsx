/** The panel of the loss landscape: the map, its scale, what it has at the playhead, and tables. */

import { toggleRelief } from "../../actions/landscape";
import { DARK_TINTS, LIGHT_TINTS } from "../../draw/surface";
import { rounded } from "../../model/strips";
import { formatTick, shownName } from "../../model/words";
import { surfaceUrl } from "../../server/landscape";
import { noServer } from "../../server/site";
import { hearing } from "../../state/choices";
import {
  chosenSurface,
  relief,
  stripsOf,
  surface,
  surfaceEntry,
  surfaces,
  view,
} from "../../state/landscape";
import { dark, forcedColours, sides } from "../../state/runs";
import { SIDES } from "../../units";
import { Choice } from "../parts/Field";
import { PathTable, SnapshotTable, StripTable } from "./LandscapeTables";
import { SurfaceMap } from "./SurfaceMap";

export function Landscape() {
  const shown = surface.value;
  const none = surfaces.value.length === 0;
  return (
    <div class="landscape">
      {shown !== null && <SurfaceMap />}
      <section class="facts" aria-label="Landscape in numbers and words">
        {none && (
          <p class="quiet">
            No map is stored: <code>writer.add_landscape(surface(…))</code> stores the loss over a
            plane.
          </p>
        )}
        {!none && shown === null && (
          <p class="quiet">{surfaceEntry.value?.error ?? "Loading the map…"}</p>
        )}
        {shown !== null && (
          <>
            <SurfaceBar />
            <Scale />
            <PathTable />
            <ul class="said">
              {shown.words.map((words) => (
                <li key={words} dir="auto">
                  {words}
                </li>
              ))}
            </ul>
            <SnapshotTable />
          </>
        )}
        {SIDES.map(
          (side) => stripsOf[side].value !== null && <StripTable key={side} side={side} />,
        )}
      </section>
    </div>
  );
}

function SurfaceBar() {
  const shown = surface.value;
  if (shown === null) return null;
  const all = surfaces.value;
  return (
    <div class="bar">
      <h2>{all.length > 1 ? "Loss over a plane" : `Map: ${shownName(shown.name)}`}</h2>
      {all.length > 1 && (
        <Choice
          id="surface"
          label="Map"
          options={all.map(([run, name]) => [
            name,
            run === sides.value[hearing.value] ? shownName(name) : `${shownName(name)} · ${run}`,
          ])}
          value={shown.name}
          choose={(name) => {
            chosenSurface.value = name;
          }}
        />
      )}
      <button type="button" aria-pressed={view.value !== null} onClick={toggleRelief}>
        3-D
      </button>
      <p class="downloads">
        Save{" "}
        <button type="button" class="plain" onClick={savePicture}>
          PNG
        </button>{" "}
        {(noServer === null ? (["csv", "paths", "npz"] as const) : []).map((form) => (
          <a key={form} href={surfaceUrl(shown.run, shown.name, form)} download>
            {form === "paths" ? "paths" : form.toUpperCase()}
          </a>
        ))}
      </p>
    </div>
  );
}

function savePicture(): void {
  const canvas = document.querySelector<HTMLCanvasElement>(".map canvas");
  canvas?.toBlob((blob) => {
    if (blob === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${surface.peek()?.name ?? "landscape"}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

/** What the tints mean. */
function Scale() {
  const heights = relief.value;
  if (heights === null || forcedColours.value) return null;
  const tints = (dark.value ? DARK_TINTS : LIGHT_TINTS).map((rgb) => `rgb(${rgb})`);
  return (
    <p class="tints" aria-hidden="true">
      Loss {formatTick(rounded(heights.lossOf(0), 2))}
      <i style={{ background: `linear-gradient(90deg, ${tints})` }} />
      {formatTick(rounded(heights.lossOf(1), 2))}
      <span>○ start ● end</span>
    </p>
  );
}
