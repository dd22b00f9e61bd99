import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { readSystemFile } from './system-files.ts';

/** A nice value, from -20 to 19. */
const niceness = 10;

/**
 * Has the thread that calls it give way to others, those that answer requests above all. On Linux what it starts from
 * then on does so, too; elsewhere priorities are the whole process's, so it is done where the thread is a process of
 * its own.
 */
export function giveWay(isOwnProcess: boolean): void {
  if (process.platform !== 'linux' && !isOwnProcess) return;
  try {
    setPriority(0, niceness);
  } catch {
    // It works at the usual priority where it may not be lowered.
  }
}

/**
 * Has V8's helpers give way as well, which all threads of the process share, for as long as it runs: what they clean up
 * is mostly what threads that give way leave behind. Young objects are collected by one thread from then on, which is
 * the one they belong to or a helper: several would wait for each other, as long as what they give way to takes.
 */
export function helpersGiveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const helpers = readdirSync(threads).filter((thread) =>
      readSystemFile(`${threads}/${thread}/comm`).includes('V8Worker'),
    );
    if (helpers.length > 0) setFlagsFromString('--no-parallel-scavenge');
    for (const thread of helpers) setPriority(Number(thread), niceness);
  } catch {
    // They go on as they are.
  }
}

const threads = '/proc/self/task';
