/** Landmarks as flags on the ruler: those that would overlap become one flag with a count. */

/** One or several landmarks at about the same pixel. */
export type Flag<Each> = {
  readonly items: readonly Each[];
  /** Of the first of them. */
  readonly pixel: number;
  /** In pixels, up to the next flag or the end. */
  readonly room: number;
};

const LEAST = 26; // pixels: a glyph, or a count, with its edge

/** Flags from left to right, none closer than so many pixels to the next. */
export function flagsOf<Each>(
  items: readonly Each[],
  pixelOf: (item: Each) => number,
  end: number,
  least = LEAST,
): Flag<Each>[] {
  const placed = items.map((item) => ({ item, pixel: pixelOf(item) }));
  placed.sort((one, other) => one.pixel - other.pixel);
  const groups: { items: Each[]; pixel: number }[] = [];
  for (const { item, pixel } of placed) {
    const last = groups.at(-1);
    if (last !== undefined && pixel < last.pixel + least) last.items.push(item);
    else groups.push({ items: [item], pixel });
  }
  return groups.map((group, at) => ({
    ...group,
    room: (groups[at + 1]?.pixel ?? Math.max(end, group.pixel + least)) - group.pixel,
  }));
}
