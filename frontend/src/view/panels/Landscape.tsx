/** The panel of the loss landscape: the map with its paths, what it has at the playhead, and tables. */

import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import {
  changePath,
  playHere,
  playSnapshot,
  sayPlace,
  toggleRelief,
  turn,
  walk,
} from "../../actions/landscape";
import { CLICK_PIXELS } from "../../actions/pointer";
import { playFrom } from "../../actions/transport";
import {
  aspectOf,
  drawSurface,
  frameOf,
  pathPixels,
  pixelAtStep,
  projectionOf,
  type SurfaceInk,
  type SurfacePicture,
} from "../../draw/surface";
import { colourAt, type Rgb } from "../../model/colours";
import { headroomWords, lossHere, rounded } from "../../model/strips";
import {
  mapAt,
  type PlanePath,
  placeWords,
  readWords,
  shareWords,
  snapshotAt,
} from "../../model/surface";
import { formatStep, formatTick, formatValue, shownName, spokenName } from "../../model/words";
import { surfaceUrl } from "../../server/landscape";
import { noServer } from "../../server/site";
import { stepsSeenOf } from "../../state/axis";
import { hearing } from "../../state/choices";
import { heardUnderPointer } from "../../state/heard";
import {
  chosenSurface,
  pathHere,
  pathRuns,
  relief,
  snapshotHere,
  stepHere,
  stepOfPath,
  stripsOf,
  surface,
  surfaceEntry,
  surfaces,
  view,
} from "../../state/landscape";
import { announcer, runWords } from "../../state/playing";
import { dark, forcedColours, lineColourOf, sides } from "../../state/runs";
import { SIDES, type Side, type Step } from "../../units";
import { Choice } from "../parts/Field";
import { followPlayhead } from "../parts/frames";
import { look } from "../tracks/LayerLane";

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
            <Paths />
            <ul class="said">
              {shown.words.map((words) => (
                <li key={words} dir="auto">
                  {words}
                </li>
              ))}
            </ul>
            <Snapshots />
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

/** What every path has where it is: at its snapshot, on the map there, and how far that is off. */
function Paths() {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null || shown.paths.length === 0) return null;
  return (
    <section class="scroller" tabIndex={0} aria-label="Paths">
      <table class="paths">
        <thead>
          <tr>
            <th scope="col">Path at step {formatStep(stepHere.value)}</th>
            <th scope="col" class="number">
              Loss
            </th>
            <th scope="col" class="number">
              Map
            </th>
            <th scope="col" class="number">
              Off the plane
            </th>
            <th scope="col" class="number">
              Variance held<small> (random walk {shareWords(shown.randomWalk)})</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.paths.map((path, at) => (
            <PathRow key={path.name} path={path} at={at} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function PathRow({ path, at }: { path: PlanePath; at: number }) {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null) return null;
  const snapshot = snapshotHere(path, at);
  return (
    <tr aria-current={at === pathHere.value ? "true" : undefined}>
      <th scope="row">
        <button
          type="button"
          class="plain"
          aria-label={`Play ${spokenName(path.name)} from here`}
          onClick={() => playSnapshot(at, snapshot)}
        >
          <i class="dot" style={{ "--line": pathColour(at) }} />
          <span class="name" dir="auto" title={path.name}>
            {shownName(path.name)}
          </span>
        </button>
      </th>
      {valuesAt(path, snapshot).map((words, column) => (
        <td key={column} class="number">
          {words}
        </td>
      ))}
      <td class="number">{shareWords(path.explained)}</td>
    </tr>
  );
}

/** The loss at a snapshot, that of the map there, and how far it is off the plane. */
function valuesAt(path: PlanePath, snapshot: number): string[] {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null) return [];
  const of = (values: Float64Array) => values[snapshot] ?? Number.NaN;
  const map = mapAt(shown, heights, of(path.xs), of(path.ys));
  return [
    formatValue(of(path.losses)),
    Number.isNaN(map) ? "off the map" : formatValue(rounded(map, 4)),
    formatValue(rounded(of(path.distance), 3)),
  ];
}

/** That of its run, or one of its own. */
function pathColour(at: number): string {
  const run = pathRuns.value[at];
  if (run != null || forcedColours.value) return lineColourOf(run ?? "");
  const colour = colourAt(at + 1);
  return dark.value ? colour.dark : colour.light;
}

const LIGHT_TINTS: readonly Rgb[] = [
  [255, 255, 255],
  [232, 238, 243],
  [202, 214, 226],
  [160, 178, 198],
];
const DARK_TINTS: readonly Rgb[] = [
  [28, 31, 34],
  [44, 52, 60],
  [63, 76, 90],
  [92, 110, 128],
];

function inkOf(canvas: HTMLCanvasElement): SurfaceInk {
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const forced = forcedColours.value;
  const [scheme, patterns] = look(canvas);
  const plain = (at: number): Rgb => {
    const packed = scheme.norms[Math.round(at * (scheme.norms.length - 1))] ?? 0;
    return [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
  };
  return {
    ink: colour("--ink"),
    quiet: colour("--ink-2"),
    ground: colour("--card"),
    tints: forced ? [plain(0), plain(0.4)] : dark.value ? DARK_TINTS : LIGHT_TINTS,
    patterns,
  };
}

type Size = { readonly width: number; readonly height: number };

/** What is drawn, for whoever measures it from outside. */
type Probe = HTMLCanvasElement & { drawn?: SurfacePicture };

function SurfaceMap() {
  const root = useRef<HTMLDivElement>(null);
  const canvas = useRef<Probe>(null);
  const size = useSignal<Size>({ width: 0, height: 0 });

  useLayoutEffect(() => {
    const element = root.current;
    if (element === null) return;
    const measure = () => {
      if (element.clientWidth === 0) return;
      size.value = { width: element.clientWidth, height: element.clientHeight };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [size]);

  useSignalEffect(() => {
    const element = canvas.current;
    const picture = pictureOf(size.value);
    if (element === null || picture === null) return;
    void dark.value;
    const start = performance.now();
    drawSurface(element, picture, inkOf(element));
    element.drawn = picture;
    performance.measure("sonify:surface", { start, end: performance.now() });
  });

  const shown = surface.value;
  const turned = view.value !== null;
  return (
    <div
      ref={root}
      class={turned ? "map turned" : "map"}
      style={{ "--aspect": shown === null ? 1 : aspectOf(shown) }}
      role="application"
      tabIndex={0}
      aria-roledescription={turned ? "relief" : "map"}
      aria-label={`Loss landscape ${spokenName(shown?.name ?? "")}: ${placeHere()}`}
      aria-describedby="map-keys"
      onFocus={({ currentTarget }) => {
        if (currentTarget.matches(":focus-visible")) sayPlace();
      }}
      onKeyDown={(event) => {
        if (!onKey(event)) return;
        event.preventDefault();
        event.stopPropagation();
      }}
      {...pointing(root, size.value)}
    >
      <canvas ref={canvas} />
      {shown?.paths.map((path, at) => (
        <Marker key={path.name} path={path} at={at} size={size} />
      ))}
      <p id="map-keys" class="hidden">
        {turned
          ? "Arrows turn it; with Shift, Left and Right go from snapshot to snapshot, Up and Down from path to path."
          : "Left and Right go from snapshot to snapshot, Up and Down from path to path."}{" "}
        Home and End go to the first and the last, Enter plays from here.
      </p>
    </div>
  );
}

function pictureOf({ width, height }: Size): SurfacePicture | null {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null || width === 0) return null;
  return {
    surface: shown,
    relief: heights,
    colours: shown.paths.map((_, at) => pathColour(at)),
    names: shown.paths.map(({ name }) => shownName(name)),
    view: view.value,
    width,
    height,
  };
}

/** "sgd-0.1, step 120, 21 of 39: ...", of the path that keys are about. */
function placeHere(): string {
  const [shown, heights] = [surface.value, relief.value];
  const path = shown?.paths[pathHere.value];
  if (shown === null || heights === null || path === undefined) return "no path";
  return `${spokenName(path.name)}, ${readWords(shown, heights, path, snapshotHere(path, pathHere.value))}`;
}

const TURN = Math.PI / 24;

/** Whether a key was one of ours. */
function onKey({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
  if (ctrlKey || altKey || metaKey) return false;
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
    key
  ] ?? [0, 0];
  if (x !== 0 || y !== 0) {
    if (view.value !== null && !shiftKey) turn(-(x ?? 0) * TURN, (y ?? 0) * -TURN);
    else if (x !== 0) walk(x ?? 0);
    else changePath(y ?? 0);
  } else if (key === "Home") walk(Number.NEGATIVE_INFINITY);
  else if (key === "End") walk(Number.POSITIVE_INFINITY);
  else if (key === "Enter" || key === " ") playHere();
  else return false;
  return true;
}

const NEAR = 14; // pixels from a snapshot

type Held = { readonly x: number; readonly y: number; readonly moved: boolean };

/** What a pointer does: reads, goes to a snapshot, turns. */
function pointing(root: { readonly current: HTMLDivElement | null }, size: Size) {
  const held = useRef<Held | null>(null);
  const at = (event: MouseEvent) => {
    const { left, top } = root.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { x: event.clientX - left, y: event.clientY - top };
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0) held.current = { ...at(event), moved: false };
      if (view.value !== null) root.current?.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const { x, y } = at(event);
      const before = held.current;
      if (before !== null && view.value !== null) {
        const moved = before.moved || Math.hypot(x - before.x, y - before.y) >= CLICK_PIXELS;
        if (moved) {
          turn((x - before.x) / 120, -(y - before.y) / 120);
          held.current = { x, y, moved };
        }
        return;
      }
      const found = nearest(x, y, size);
      root.current?.classList.toggle("near", found !== null);
      heardUnderPointer.value = found === null ? beside(x, y, size) : found.words;
    },
    onPointerLeave: () => {
      heardUnderPointer.value = null;
    },
    onPointerUp: (event: PointerEvent) => {
      const turned = held.current?.moved === true;
      held.current = null;
      if (turned) return;
      const { x, y } = at(event);
      const found = nearest(x, y, size);
      if (found !== null) playSnapshot(found.path, found.snapshot);
      else announcer.say(beside(x, y, size) ?? "");
    },
    onPointerCancel: () => {
      held.current = null;
    },
  };
}

/** The snapshot under the pointer, the path that keys are about before others. */
function nearest(x: number, y: number, size: Size) {
  const picture = pictureOf(size);
  if (picture === null) return null;
  const project = projectionOf(picture);
  let best: { path: number; snapshot: number } | null = null;
  let least = NEAR;
  picture.surface.paths.forEach((path, which) => {
    pathPixels(picture, path, project).forEach((point, snapshot) => {
      if (point === null) return;
      const away = Math.hypot(point[0] - x, point[1] - y) - (which === pathHere.value ? 1 : 0);
      if (away >= least) return;
      least = away;
      best = { path: which, snapshot };
    });
  });
  const found = best as { path: number; snapshot: number } | null;
  const path = picture.surface.paths[found?.path ?? -1];
  if (found === null || path === undefined) return null;
  const words = `${shownName(path.name)} · ${readWords(picture.surface, picture.relief, path, found.snapshot)}`;
  return { ...found, words };
}

/** What is under the pointer beside all paths; null where that is not the map. */
function beside(x: number, y: number, size: Size): string | null {
  const shown = surface.value;
  if (shown === null || view.value !== null) return null;
  const frame = frameOf(shown, size.width, size.height);
  const [u, v] = [(x - frame.left) / frame.width, 1 - (y - frame.top) / frame.height];
  if (u < 0 || v < 0 || u > 1 || v > 1) return null;
  const place = (values: Float64Array, share: number) =>
    (values[0] ?? 0) + share * ((values.at(-1) ?? 0) - (values[0] ?? 0));
  const path = shown.paths[pathHere.value] ?? null;
  const at = path === null ? 0 : snapshotHere(path, pathHere.value);
  return placeWords(shown, place(shown.x, u), place(shown.y, v), path, at);
}

/** Where a path is at the playhead, which it follows as the one on the timeline does. */
type MarkerProps = {
  readonly path: PlanePath;
  readonly at: number;
  readonly size: ReadonlySignal<Size>;
};

function Marker({ path, at, size }: MarkerProps) {
  const element = useRef<HTMLElement>(null);

  useSignalEffect(() => {
    const [marker, picture] = [element.current, pictureOf(size.value)];
    if (marker === null || picture === null) return;
    const points = pathPixels(picture, path, projectionOf(picture));
    const frame =
      picture.view === null
        ? frameOf(picture.surface, picture.width, picture.height)
        : { left: 0, top: 0, width: picture.width, height: picture.height };
    marker.classList.toggle("heard", at === pathHere.value);
    const show = (step: Step, from: Side) => {
      const own = stepOfPath(at, step, from);
      const point = pixelAtStep(path, points, snapshotAt(path, own), own);
      const [x, y] = point ?? [-1, -1];
      const [right, bottom] = [frame.left + frame.width, frame.top + frame.height];
      marker.hidden = !(x >= frame.left && y >= frame.top && x <= right && y <= bottom);
      marker.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    };
    return followPlayhead(show, stepHere);
  });

  return <b class="marker" ref={element} style={{ "--line": pathColour(at) }} hidden />;
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

/** The snapshots of the path that keys are about, in numbers. */
function Snapshots() {
  const [shown, heights, at] = [surface.value, relief.value, pathHere.value];
  const path = shown?.paths[at];
  if (shown === null || heights === null || path === undefined) return null;
  const current = snapshotHere(path, at);
  return (
    <details>
      <summary>
        Snapshots of <bdi>{shownName(path.name)}</bdi> as a table
      </summary>
      <table class="rows">
        <thead>
          <tr>
            {["Step", "Loss", "Map", "Off the plane"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...path.steps].map((step, snapshot) => (
            <tr key={step} aria-current={snapshot === current ? "location" : undefined}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-label={`Play from step ${formatStep(step)}`}
                  onClick={() => playSnapshot(at, snapshot)}
                >
                  {formatStep(step)}
                </button>
              </th>
              {valuesAt(path, snapshot).map((words, column) => (
                <td key={column}>{words}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const MOST_ROWS = 200;

/** The strips that are seen, in numbers. */
function StripTable({ side }: { side: Side }) {
  const strips = stripsOf[side].value;
  if (strips === null) return null;
  const [from, to] = stepsSeenOf(side);
  const seen = [...strips.steps.keys()].filter((at) => {
    const step = strips.steps[at] ?? 0;
    return step >= from && step <= to;
  });
  const alphas = (strip: number) => (strips.first[strip + 1] ?? 0) - (strips.first[strip] ?? 0);
  return (
    <details class="strip-table">
      <summary>Strips of {runWords(side)} as a table</summary>
      {seen.length > MOST_ROWS && (
        <p class="quiet">
          The first {MOST_ROWS} of {formatStep(seen.length)} that are seen: zoom in for others.
        </p>
      )}
      <table class="rows">
        <thead>
          <tr>
            {["Step", "Loss here", "Floor, steps ahead", "Headroom", "Losses measured"].map(
              (title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {seen.slice(0, MOST_ROWS).map((strip) => (
            <tr key={strip}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-label={`Play from step ${formatStep(strips.steps[strip] ?? 0)}`}
                  onClick={() => playFrom(strips.steps[strip] ?? 0)}
                >
                  {formatStep(strips.steps[strip] ?? 0)}
                </button>
              </th>
              <td>{formatValue(lossHere(strips, strip))}</td>
              <td>{formatValue(rounded(strips.floors[strip] ?? Number.NaN, 3))}</td>
              <td>{headroomWords(strips, strip).replace("headroom ", "")}</td>
              <td>{alphas(strip)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
