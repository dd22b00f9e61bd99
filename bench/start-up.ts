import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { residentMegabytes } from './process-figures.ts';
import { launchBloomery } from './servers.ts';
import { median, medianKnown } from './statistics.ts';

export interface StartUp {
  /** From spawning `serve` to its ready line, in milliseconds; medians. */
  freshMilliseconds: number;
  existingMilliseconds: number;
  /** Memory of a server that nobody has asked anything, in MB; null where the system does not tell. */
  idleMegabytes: number | null;
}

const starts = 5;
const idleMilliseconds = 2000;

/** Starts `serve` several times, each time on fresh data and then once more on the same. */
export async function measureStartUp(entry: string, directory: string): Promise<StartUp> {
  const fresh: number[] = [];
  const existing: number[] = [];
  const idle: (number | null)[] = [];
  for (let start = 0; start < starts; start++) {
    const home = join(directory, `start-${start}`);
    const first = await launchBloomery(entry, home);
    fresh.push(first.milliseconds);
    await first.stop();
    const second = await launchBloomery(entry, home);
    existing.push(second.milliseconds);
    await after(idleMilliseconds);
    idle.push(residentMegabytes(second.pid));
    await second.stop();
  }
  return {
    freshMilliseconds: median(fresh),
    existingMilliseconds: median(existing),
    idleMegabytes: medianKnown(idle),
  };
}
