/**
 * Multiplies one vector with many, 16 numbers at a time: WebAssembly, as JavaScript has no such instructions. In C:
 *
 *     void scan(int16_t *query, int8_t *rows, int count, int stride, int32_t *sums)
 *     { while (count--) { *sums++ = dot(query, rows, stride); rows += stride; } }
 *
 * `count` and `stride` are above 0, `stride` is a multiple of 16.
 */
export type Scan = (query: number, rows: number, count: number, stride: number, sums: number) => void;

export const pageBytes = 65_536;

export function createScan(memory: ScanMemory): Scan {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), { host: { memory } });
  return instance.exports.scan as Scan;
}

/** Memory in pages of 64 kB; growing it makes a new buffer. */
export interface ScanMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export const createScanMemory = (initial: number): ScanMemory => new WebAssembly.Memory({ initial });

/** Node's types leave it to those of browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (size: { initial: number }) => ScanMemory;
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: { scan?: unknown } };
  };
};

const i32 = 0x7f;
const v128 = 0x7b;

/** Parameters and variables of the function, by number. */
const local = { query: 0, rows: 1, count: 2, stride: 3, sums: 4, at: 5, sum: 6, codes: 7 };

const get = (name: keyof typeof local) => [0x20, local[name]];
const set = (name: keyof typeof local) => [0x21, local[name]];
const constant = (value: number) => [0x41, value];
const add = [0x6a];
const subtract = [0x6b];
const lessThan = [0x49];
const shiftLeft = [0x74];
const store = [0x36, 2, 0];
const loop = [0x03, 0x40];
const branchIf = [0x0d, 0];
const end = [0x0b];
const vector = {
  load: (offset: number) => [0xfd, 0x00, 0, offset],
  zero: [0xfd, 0x0c, ...new Array(16).fill(0)],
  lowHalf: [0xfd, 0x87, 0x01],
  highHalf: [0xfd, 0x88, 0x01],
  dot: [0xfd, 0xba, 0x01],
  add: [0xfd, 0xae, 0x01],
  lane: (number: number) => [0xfd, 0x1b, number],
};

const body = [
  ...loop,
  ...[...vector.zero, ...set('sum'), ...constant(0), ...set('at')],
  ...loop,
  ...[...get('rows'), ...get('at'), ...add, ...vector.load(0), ...set('codes')],
  ...[...get('codes'), ...vector.lowHalf, ...queryPart(0), ...vector.dot],
  ...[...get('codes'), ...vector.highHalf, ...queryPart(16), ...vector.dot],
  ...[...vector.add, ...get('sum'), ...vector.add, ...set('sum')],
  ...[...get('at'), ...constant(16), ...add, ...set('at')],
  ...[...get('at'), ...get('stride'), ...lessThan, ...branchIf],
  ...end,
  ...get('sums'),
  ...[0, 1, 2, 3].flatMap((lane) => [...get('sum'), ...vector.lane(lane)]),
  ...[...add, ...add, ...add, ...store],
  ...[...get('rows'), ...get('stride'), ...add, ...set('rows')],
  ...[...get('sums'), ...constant(4), ...add, ...set('sums')],
  ...[...get('count'), ...constant(1), ...subtract, ...set('count')],
  ...[...get('count'), ...branchIf],
  ...end,
  ...end,
];

/** A number of the query takes two bytes, one of a row a single one. */
function queryPart(offset: number): number[] {
  return [...get('query'), ...get('at'), ...constant(1), ...shiftLeft, ...add, ...vector.load(offset)];
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const section = (id: number, content: number[]) => [id, ...length(content), ...content];
  const code = [2, 1, i32, 2, v128, ...body];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 5, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, ...name('host'), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('scan'), 0, 0]),
    ...section(10, [1, ...length(code), ...code]),
  ]);
}

/** In seven bits a byte, the lowest first. */
function length({ length }: number[]): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
}
