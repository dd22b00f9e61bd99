import { readdir } from 'node:fs/promises';
import { setPriority } from 'node:os';

/** A nice value, from -20 to 19. */
const niceness = 10;

/**
 * Has the thread that calls it give way to others, those that answer requests above all. Elsewhere than on Linux
 * priorities are the whole process's, so it is done where the thread is a process of its own.
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
 * Has every thread of another process give way. On Linux each has a priority of its own, and those that V8 starts to
 * clean up and compile have begun before any code can lower theirs.
 */
export async function haveGiveWay(pid: number): Promise<void> {
  if (process.platform !== 'linux') return;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads) {
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // It has ended, or may not be told.
    }
  }
}
