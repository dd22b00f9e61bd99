import { readFileSync } from 'node:fs';

/** What Linux says in a file of `/proc` or `/sys`; empty where there is none, or no more. */
export function readSystemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Milliseconds that a thread has run, and waited for a core; null where the system does not tell. */
export function threadTimes(thread: number | string): { running: number; waiting: number } | null {
  const times = readSystemFile(`/proc/${thread}/task/${thread}/schedstat`);
  const [running, waiting] = times.split(' ').map(Number);
  if (running === undefined || waiting === undefined) return null;
  return { running: running / 1e6, waiting: waiting / 1e6 };
}
