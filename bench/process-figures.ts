import { readdirSync } from 'node:fs';
import { readSystemFile } from '../src/providers/workers/system-files.ts';

/** Memory that a process holds, in MB of 1,000,000 bytes; null where the system does not tell. */
export function residentMegabytes(pid: number): number | null {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readSystemFile(`/proc/${pid}/status`)) ?? [];
  return kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
}

/** The kernel counts in ticks of this many milliseconds, whatever its own are. */
const tickMilliseconds = 10;

/** Seconds of a core that a process and those it has started have used so far; null where the system does not tell. */
export function coreSeconds(pid: number): number | null {
  const used = [pid, ...childrenOf(pid)].map((one) => {
    // The name in parentheses may have blanks in it.
    const fields = readSystemFile(`/proc/${one}/stat`).replace(/^.*\)/, '').split(' ');
    return ((Number(fields[12]) + Number(fields[13])) * tickMilliseconds) / 1000;
  });
  const sum = used.reduce((total, seconds) => total + seconds, 0);
  return Number.isNaN(sum) ? null : sum;
}

/** Processes that a process has started and that run; none where the system does not tell. */
export function childrenOf(pid: number): number[] {
  let all: string[];
  try {
    all = readdirSync('/proc');
  } catch {
    return [];
  }
  return all.flatMap((name) => {
    const [, parent] =
      /^PPid:\s+(\d+)$/m.exec((/^\d+$/.test(name) && readSystemFile(`/proc/${name}/status`)) || '') ?? [];
    return Number(parent) === pid ? [Number(name)] : [];
  });
}
