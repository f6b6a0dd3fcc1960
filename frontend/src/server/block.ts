/** Binary blocks of columns, and the fields of answers: decoded and checked at the border. */

export type NumberArray = Float64Array | Float32Array | Uint32Array | Uint16Array;

export type Block = {
  readonly header: Readonly<Record<string, unknown>>;
  readonly arrays: ReadonlyMap<string, NumberArray>;
};

const VERSION = 2;
const MAGIC = 0x4e534254; // "TBSN" read as a little-endian uint32
const PREFIX_BYTES = 8;

type Reader = {
  bytes: number;
  read: (data: ArrayBuffer, at: number, length: number) => NumberArray;
};

const READERS: Readonly<Record<string, Reader>> = {
  "<f8": { bytes: 8, read: (data, at, length) => new Float64Array(data, at, length) },
  "<f4": { bytes: 4, read: (data, at, length) => new Float32Array(data, at, length) },
  "<u4": { bytes: 4, read: (data, at, length) => new Uint32Array(data, at, length) },
  "<u2": { bytes: 2, read: (data, at, length) => new Uint16Array(data, at, length) },
  // Steps fit a double exactly; a BigInt would infect everything that touches it.
  "<i8": {
    bytes: 8,
    read: (data, at, length) => Float64Array.from(new BigInt64Array(data, at, length), Number),
  },
};

/** The header and arrays of a block; throws where the bytes are not one. */
export function decodeBlock(data: ArrayBuffer): Block {
  const view = new DataView(data);
  if (data.byteLength < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new Error(`a block starts with "TBSN", got ${data.byteLength} other bytes`);
  }
  const start = PREFIX_BYTES + view.getUint32(4, true);
  if (start > data.byteLength) {
    throw new Error(`the header of a block ends at byte ${start}, got ${data.byteLength} bytes`);
  }
  const text = new TextDecoder().decode(new Uint8Array(data, PREFIX_BYTES, start - PREFIX_BYTES));
  const header = JSON.parse(text) as Record<string, unknown>;
  if (header.version !== VERSION) {
    throw new Error(
      `this dashboard reads blocks of version ${VERSION}, got ${header.version}; reload the page`,
    );
  }
  return { header, arrays: readArrays(data, start, header.arrays) };
}

/** The array of that name; throws where the block has none. */
export function arrayOf(block: Block, name: string): NumberArray {
  const array = block.arrays.get(name);
  if (array === undefined) throw new Error(`the block has no array ${JSON.stringify(name)}`);
  return array;
}

function readArrays(data: ArrayBuffer, start: number, listing: unknown): Map<string, NumberArray> {
  if (!Array.isArray(listing)) throw new Error("the header of a block must list its arrays");
  const arrays = new Map<string, NumberArray>();
  let at = start;
  for (const [name, dtype, shape] of listing as [string, string, number[]][]) {
    const reader = READERS[dtype];
    if (reader === undefined) throw new Error(`array ${name} has the unknown dtype ${dtype}`);
    const length = shape.reduce((product, side) => product * side, 1);
    if (at + length * reader.bytes > data.byteLength) {
      throw new Error(
        `array ${name} needs ${length * reader.bytes} bytes, ${data.byteLength - at} are left`,
      );
    }
    arrays.set(name, reader.read(data, at, length));
    at += Math.ceil((length * reader.bytes) / 8) * 8;
  }
  return arrays;
}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${what} must be an object, got ${shown(value)}`);
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new Error(`${name} must be text, got ${shown(value)}`);
}

export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number") return value;
  throw new Error(`${name} must be a number, got ${shown(value)}`);
}

export function list<T>(fields: Fields, name: string, item: (value: unknown) => T): T[] {
  const value = fields[name];
  if (Array.isArray(value)) return value.map(item);
  throw new Error(`${name} must be a list, got ${shown(value)}`);
}

export function orNull<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T) {
  return fields[name] === null || fields[name] === undefined ? null : read(fields, name);
}

export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`expected text, got ${shown(value)}`);
}

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);
