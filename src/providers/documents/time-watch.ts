import { readFile } from 'node:fs/promises';

/** The kernel tells in these, whatever its own are. */
const ticksPerSecond = 100;
/** Of the seconds that may be computed, how many times as long it may take where others have the cores. */
const mostTimes = 10;
const leastRest = 0.25;

/** Seconds that a process has computed; null where the system does not tell. */
async function computedSeconds(pid: number): Promise<number | null> {
  try {
    // The name in parentheses may have blanks in it.
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)/s, '').split(' ');
    return (Number(fields[12]) + Number(fields[13])) / ticksPerSecond;
  } catch {
    return null;
  }
}

/**
 * Calls back when a process has computed for so long, or has taken ten times that. It gives way to others, so on a busy
 * machine the time that passes says little about what it does; where the system tells no more, it is what counts.
 */
export function watchTime(pid: number, seconds: number, onExceeded: () => void): () => void {
  const began = performance.now();
  const before = computedSeconds(pid);
  let timer: NodeJS.Timeout;
  let stopped = false;

  const look = async (): Promise<void> => {
    const [first, now] = [await before, await computedSeconds(pid)];
    if (stopped) return;
    const used = first === null || now === null ? seconds : now - first;
    const passed = (performance.now() - began) / 1000;
    if (used >= seconds || passed >= seconds * mostTimes) onExceeded();
    else wait(Math.max(leastRest, Math.min(seconds - used, seconds * mostTimes - passed)));
  };
  const wait = (rest: number): void => {
    timer = setTimeout(() => void look(), rest * 1000);
  };

  wait(seconds);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
