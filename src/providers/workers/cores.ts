import { spawnSync } from 'node:child_process';
import { readSystemFile } from './system-files.ts';

/**
 * Numbers of the cores that a thread may run on, by its id; the main thread unless told. None where the system does not
 * tell.
 */
export function allowedCores(thread = 'self'): number[] {
  const status = readSystemFile(`/proc/${thread}/status`);
  return coresIn(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '');
}

/** Of these the ones that are there: a system may name those that can be added some day, too. */
export function coresOnline(cores: readonly number[]): number[] {
  const online = new Set(coresIn(readSystemFile('/sys/devices/system/cpu/online')));
  return online.size === 0 ? [...cores] : cores.filter((core) => online.has(core));
}

/** From a list such as `0-3,8`. */
export function coresIn(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map((core) => Number.parseInt(core, 10));
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/** All but one, whose turn it is; none where there is none to leave. */
export function coresButOne(cores: readonly number[], turn: number): number[] {
  return cores.length < 2 ? [] : cores.toSpliced(turn % cores.length, 1);
}

/** One shell for all of them: starting a program takes longer the more memory the server has. */
const script =
  'command -v taskset || exit 127; cores=$1; shift; for thread; do taskset -c -p "$cores" "$thread"; done; exit 0';

/**
 * Keeps threads on such cores, but for those that have ended. Node can't, so it takes a program that most Linux
 * distributions have; false where it is missing.
 */
export function keepOnCores(threads: readonly string[], cores: readonly number[]): boolean {
  const options = { stdio: 'ignore', timeout: 5000, env: { PATH: process.env.PATH } } as const;
  const { status, error } = spawnSync('/bin/sh', ['-c', script, 'sh', cores.join(','), ...threads], options);
  return status !== 127 && (error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT';
}
