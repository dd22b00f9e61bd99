import { statfsSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { type ApiError, apiError } from '../errors.ts';

/** Keeps requests that bring something away while the disk is nearly full: a write that fails midway helps nobody. */
export interface DiskSpace {
  /** As of a moment ago. */
  readonly freeBytes: number;
  /** Throws `insufficient_storage`. */
  check(request: FastifyRequest): void;
}

const everyMilliseconds = 2000;
/** What takes nothing, or gives something back. */
const harmless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

export function watchDisk(
  directory: string,
  floorBytes: number,
  {
    freeBytes = freeOn,
    now = () => performance.now(),
  }: { freeBytes?: (directory: string) => number; now?: () => number } = {},
): DiskSpace {
  let free = freeBytes(directory);
  let asked = now();
  return {
    get freeBytes() {
      return free;
    },
    check({ method, headers }) {
      if (floorBytes === 0 || harmless.has(method)) return;
      if (now() - asked >= everyMilliseconds) {
        asked = now();
        free = freeBytes(directory);
      }
      const announced = Number(headers['content-length'] ?? 0);
      if (free - (Number.isFinite(announced) ? announced : 0) >= floorBytes) return;
      throw diskFull(free, floorBytes);
    },
  };
}

export const diskFull = (free: number, floorBytes: number): ApiError =>
  apiError(
    'insufficient_storage',
    `The server's disk is nearly full: ${free} bytes are free, of which ${floorBytes} stay free (limits.diskFreeBytes). ` +
      'Delete what is no longer needed, or have the operator make room.',
    { target: 'limits.diskFreeBytes', retry: false },
  );

function freeOn(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    // Where nobody can tell, the write itself has to.
    return Number.POSITIVE_INFINITY;
  }
}
