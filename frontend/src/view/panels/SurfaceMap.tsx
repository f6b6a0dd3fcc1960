/** The map of the loss over a plane, or its relief, with paths that are clicked and walked along. */

import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { changePath, playHere, playSnapshot, sayPlace, turn, walk } from "../../actions/landscape";
import { CLICK_PIXELS } from "../../actions/pointer";
import {
  aspectOf,
  frameOf,
  isWithin,
  pathPixels,
  pixelAtStep,
  planeAt,
  projectionOf,
  snapshotNear,
} from "../../draw/projection";
import {
  DARK_TINTS,
  drawSurface,
  LIGHT_TINTS,
  type SurfaceInk,
  type SurfacePicture,
} from "../../draw/surface";
import type { Rgb } from "../../model/colours";
import { type PlanePath, placeWords, readWords, snapshotAt } from "../../model/surface";
import { shownName, spokenName } from "../../model/words";
import { heardUnderPointer } from "../../state/heard";
import {
  pathColour,
  pathHere,
  relief,
  snapshotHere,
  stepHere,
  stepOfPath,
  surface,
  view,
} from "../../state/landscape";
import { announcer } from "../../state/playing";
import { dark, forcedColours } from "../../state/runs";
import type { Side, Step } from "../../units";
import { followPlayhead } from "../parts/frames";
import { look } from "../tracks/LayerLane";

type Size = { readonly width: number; readonly height: number };

/** What is drawn, for whoever measures it from outside. */
type Probe = HTMLCanvasElement & { drawn?: SurfacePicture };

export function SurfaceMap() {
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

type Spot = { readonly x: number; readonly y: number };
type Held = Spot & { readonly moved: boolean };

/** What a pointer does: reads, goes to a snapshot, turns. */
function pointing(root: { readonly current: HTMLDivElement | null }, size: Size) {
  const held = useRef<Held | null>(null);
  const at = (event: MouseEvent): Spot => {
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
      const found = under({ x, y }, size);
      root.current?.classList.toggle("near", found?.path != null);
      heardUnderPointer.value = found?.words ?? null;
    },
    onPointerLeave: () => {
      heardUnderPointer.value = null;
    },
    onPointerUp: (event: PointerEvent) => {
      const turned = held.current?.moved === true;
      held.current = null;
      if (turned) return;
      const found = under(at(event), size);
      if (found?.path != null) playSnapshot(found.path, found.snapshot);
      else announcer.say(found?.words ?? "");
    },
    onPointerCancel: () => {
      held.current = null;
    },
  };
}

/** What is under the pointer: a snapshot, or else a place on the map; in words. */
function under({ x, y }: Spot, size: Size) {
  const picture = pictureOf(size);
  if (picture === null) return null;
  const { surface: shown, relief: heights } = picture;
  const found = snapshotNear(picture, [x, y], pathHere.value);
  const path = shown.paths[found?.path ?? -1];
  if (found !== null && path !== undefined) {
    const words = `${shownName(path.name)} · ${readWords(shown, heights, path, found.snapshot)}`;
    return { ...found, words };
  }
  const place = planeAt(picture, [x, y]);
  if (place === null) return null;
  const here = shown.paths[pathHere.value] ?? null;
  const at = here === null ? 0 : snapshotHere(here, pathHere.value);
  return { path: null, snapshot: at, words: placeWords(shown, ...place, here, at) };
}

type MarkerProps = {
  readonly path: PlanePath;
  readonly at: number;
  readonly size: ReadonlySignal<Size>;
};

/** Where a path is at the playhead, which it follows as the one on the timeline does. */
function Marker({ path, at, size }: MarkerProps) {
  const element = useRef<HTMLElement>(null);

  useSignalEffect(() => {
    const [marker, picture] = [element.current, pictureOf(size.value)];
    if (marker === null || picture === null) return;
    const points = pathPixels(picture, path, projectionOf(picture));
    const frame = frameOf(picture);
    marker.classList.toggle("heard", at === pathHere.value);
    const show = (step: Step, from: Side) => {
      const own = stepOfPath(at, step, from);
      const point = pixelAtStep(path, points, snapshotAt(path, own), own) ?? [-1, -1];
      const [x, y] = point;
      marker.hidden = !isWithin(frame, point);
      marker.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    };
    return followPlayhead(show, stepHere);
  });

  return <b class="marker" ref={element} style={{ "--line": pathColour(at) }} hidden />;
}
