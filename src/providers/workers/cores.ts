import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Numbers of the cores that a thread may run on, by its id; the main thread unless told. None where the system does not
 * tell.
 */
export function allowedCores(thread = 'self'): number[] {
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'utf8');
    return coresIn(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** From a list such as `0-3,8`. */
export function coresIn(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map((core) => Number.parseInt(core, 10));
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/**
 * All but one, which is another one for each server: several on one machine would share what one of them leaves free.
 * None where there is none to leave.
 */
export function coresButOne(cores: readonly number[], server: number): number[] {
  return cores.length < 2 ? [] : cores.toSpliced(server % cores.length, 1);
}

/**
 * Keeps a thread on such cores. Node can't, so it takes a program that all Linux distributions have; false where it is
 * missing, or not allowed.
 */
export function keepOnCores(thread: string, cores: readonly number[]): boolean {
  const { PATH } = process.env;
  const options = ['-c', '-p', cores.join(','), thread];
  return spawnSync('taskset', options, { stdio: 'ignore', timeout: 1000, env: { PATH } }).status === 0;
}
