/** The files below /mnt/data, as Python sees them and as the server is told of them. */
import type { PyodideAPI } from 'pyodide';

export const home = '/mnt/data';

export interface FileBounds {
  /** Files that may be there. */
  files: number;
  /** Bytes of each. */
  fileBytes: number;
  /** Bytes of all that one run has made or changed. */
  totalBytes: number;
}

export interface FileWatch {
  put(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
  /** Tells of what is new or changed, and of what is gone, since the last time. */
  collect(onFile: (path: string, bytes: Uint8Array) => void, onGone: (path: string) => void): string[];
}

const deepest = 8;
/** Whatever writes to a file moves its time past this. */
const past = 1000;

export function watchFiles({ FS }: PyodideAPI, bounds: FileBounds): FileWatch {
  /** Size and time of each file that the server knows of. */
  const known = new Map<string, string>();
  const markOf = (path: string): string => {
    const { size, mtime } = FS.stat(`${home}/${path}`);
    return `${size} ${Number(mtime)}`;
  };
  const remember = (path: string): void => {
    const time = Date.now() - past;
    FS.utime(`${home}/${path}`, time, time);
    known.set(path, markOf(path));
  };

  function* walk(folder: string, depth: number): Generator<string> {
    for (const name of FS.readdir(folder === '' ? home : `${home}/${folder}`) as string[]) {
      if (name === '.' || name === '..') continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      const { mode } = FS.lstat(`${home}/${path}`);
      if (FS.isFile(mode)) yield path;
      else if (FS.isDir(mode) && depth < deepest) yield* walk(path, depth + 1);
    }
  }

  return {
    put(path, bytes) {
      const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      FS.mkdirTree(`${home}/${folder}`);
      FS.writeFile(`${home}/${path}`, bytes);
      remember(path);
    },
    remove(path) {
      known.delete(path);
      if (FS.analyzePath(`${home}/${path}`).exists) FS.unlink(`${home}/${path}`);
    },
    collect(onFile, onGone) {
      const seen = new Set<string>();
      const skipped: string[] = [];
      let total = 0;
      for (const path of walk('', 0)) {
        if (seen.size >= bounds.files) {
          skipped.push(`${path} and what comes after it: more than ${bounds.files} files`);
          break;
        }
        seen.add(path);
        if (known.get(path) === markOf(path)) continue;
        const { size } = FS.stat(`${home}/${path}`);
        if (size > bounds.fileBytes) {
          skipped.push(`${path}: more than ${bounds.fileBytes} bytes`);
        } else if (total + size > bounds.totalBytes) {
          skipped.push(`${path}: more than ${bounds.totalBytes} bytes in one run`);
        } else {
          total += size;
          onFile(path, FS.readFile(`${home}/${path}`) as Uint8Array);
          remember(path);
        }
      }
      for (const path of known.keys()) {
        if (seen.has(path)) continue;
        known.delete(path);
        onGone(path);
      }
      return skipped;
    },
  };
}
