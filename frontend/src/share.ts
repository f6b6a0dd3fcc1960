/** Links to what is on the screen: runs, step, curve and sound. */

import { chosenPreset, chosenSides, chosenTag, hearing, measure, sound, viewport } from "./choices";
import { linkWith, readLink } from "./host";
import { MEASURES } from "./model/ruler";
import { PITCH_ZOOMS, PLAIN, SPEEDS, TOGETHER } from "./model/view";
import { announcer, here, player } from "./playing";
import { sides, tag } from "./store";

/** Take over what a link holds; what is not there, or makes no sense, stays as it is. */
export function openLink(): void {
  const link = readLink();
  const read = (name: string) => link.get(name) ?? null;
  chosenSides.value = { a: read("a"), b: read("b") };
  if (read("hear") === "b") hearing.value = "b";
  chosenTag.value = read("tag");
  chosenPreset.value = read("preset") ?? chosenPreset.value;
  const [from, to] = (read("seen") ?? "").split(":").map(Number);
  if (from !== undefined && to !== undefined && from < to) viewport.value = [from, to];
  const known = <Value>(values: readonly Value[], name: string, otherwise: Value): Value =>
    values.find((value) => String(value) === read(name)) ?? otherwise;
  measure.value = known(MEASURES, "x", "step");
  sound.value = {
    speed: known(SPEEDS, "speed", PLAIN.speed),
    together: known(TOGETHER, "together", PLAIN.together),
    zoom: known(PITCH_ZOOMS, "zoom", PLAIN.zoom),
    reference: read("reference") === "true",
  };
  const step = Number(read("step") ?? Number.NaN);
  if (Number.isFinite(step)) player.rest(step);
}

/** A link to the step at the playhead; alone: without TensorBoard's frame. */
export function linkHere(alone = false): string {
  const { a, b } = sides.value;
  const values = {
    a,
    b,
    hear: hearing.value === "b" ? "b" : null,
    tag: tag.value,
    preset: chosenPreset.value,
    step: String(Math.floor(here.value + 1e-6)),
    x: measure.value === "step" ? null : measure.value,
    seen: viewport.value?.join(":") ?? null,
  };
  const changed = Object.entries(sound.value).filter(
    ([name, value]) => value !== PLAIN[name as keyof typeof PLAIN],
  );
  const held = [
    ...Object.entries(values),
    ...changed.map(([name, value]) => [name, String(value)]),
  ];
  return linkWith(Object.fromEntries(held.filter(([, value]) => value !== null)), alone);
}

/** Put the link where it can be pasted from; where the browser does not let us, show it. */
export async function copyLink(): Promise<void> {
  const link = linkHere();
  try {
    await navigator.clipboard.writeText(link);
    announcer.say("Link copied");
  } catch {
    window.prompt("A link to this step", link); // there is no clipboard on plain http
  }
}
