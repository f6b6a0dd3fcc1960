/** Layers by the modules that they are parts of: what their names share up to a dot. */

export type Module = {
  /** Null: a layer that is alone in its module. */
  readonly name: string | null;
  readonly layers: readonly string[];
};

const MOST_LAYERS = 16; // of a module, where it can be taken apart

/** The modules of some layers, in order of their first ones. */
export const modulesOf = (layers: readonly string[]): Module[] => partsOf(layers, 1);

function partsOf(layers: readonly string[], depth: number): Module[] {
  return [...byPrefix(layers, depth)].flatMap(([name, members]) => {
    if (members.length === 1) return [{ name: null, layers: members }];
    const apart = byPrefix(members, depth + 1).size;
    if (members.length > MOST_LAYERS && apart < members.length) return partsOf(members, depth + 1);
    return [{ name, layers: members }];
  });
}

function byPrefix(layers: readonly string[], depth: number): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const layer of layers) {
    const prefix = layer.split(".", depth).join(".");
    const members = parts.get(prefix);
    if (members === undefined) parts.set(prefix, [layer]);
    else members.push(layer);
  }
  return parts;
}
