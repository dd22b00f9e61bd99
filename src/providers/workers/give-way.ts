import { setPriority } from 'node:os';

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
