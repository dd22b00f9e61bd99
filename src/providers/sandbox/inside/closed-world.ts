/**
 * What JavaScript inside the sandbox can still reach. Python gets hold of JavaScript objects, and of their
 * constructors by way of these, so nothing of Node may be left where they lead. Node's permission model and the empty
 * environment stand behind this as a second wall.
 */
import { constants } from 'node:fs';
import { registerHooks } from 'node:module';

const pageBytes = 65_536;

interface Memory {
  buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Node's types leave it to the browser's. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: { prototype: Memory } };
};

/** Makes WebAssembly memories refuse to grow beyond `bytes`; Python sees a `MemoryError`. */
export function limitMemory(bytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (this: Memory, pages: number) {
    if (this.buffer.byteLength + pages * pageBytes > bytes) throw new RangeError('The memory is used up.');
    return grow.call(this, pages);
  };
}

/** Emscripten looks constants up in a way that the permission model refuses. */
export function lendConstants(): void {
  Object.defineProperty(process, 'binding', {
    value: (name: string) => {
      if (name === 'constants') return { fs: constants };
      throw new Error(`There is no ${name} here.`);
    },
  });
}

/** Globals that Pyodide needs after it has started, besides those of the language itself. */
const kept = new Set([
  'WebAssembly',
  'TextDecoder',
  'TextEncoder',
  'setTimeout',
  'clearTimeout',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
]);

const language = new Set(
  `globalThis Infinity NaN undefined isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape unescape AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt
  BigInt64Array BigUint64Array Boolean DataView Date DisposableStack Error EvalError FinalizationRegistry Function
  Float16Array Float32Array Float64Array Int8Array Int16Array Int32Array Intl Iterator JSON Map Math Number Object
  Promise Proxy RangeError ReferenceError Reflect RegExp Set String SuppressedError Symbol SyntaxError Temporal
  TypeError URIError Uint8Array Uint8ClampedArray Uint16Array Uint32Array WeakMap WeakRef WeakSet`.split(
    /\s+/,
  ),
);

/** No module can be loaded from here on, and no global of Node is left. */
export function closeWorld(): void {
  registerHooks({
    resolve() {
      throw new Error('Modules cannot be loaded here.');
    },
  });
  const randomValues = crypto.getRandomValues.bind(crypto);
  const now = performance.now.bind(performance);
  for (const name of Reflect.ownKeys(globalThis)) {
    if (typeof name === 'string' && (kept.has(name) || language.has(name))) continue;
    if (!Reflect.deleteProperty(globalThis, name)) Reflect.set(globalThis, name, undefined);
  }
  const silent = () => {};
  const console = { log: silent, warn: silent, error: silent, info: silent, debug: silent, assert: silent };
  Object.assign(globalThis, {
    console,
    crypto: { getRandomValues: randomValues },
    performance: { now },
  });
}
