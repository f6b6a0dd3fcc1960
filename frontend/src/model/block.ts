/** The block: one binary value with a JSON header and named arrays (docs/http_api.md). */

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
