/** Work of one connection: in order within a lane, side by side between lanes, bounded in number and size. */
export interface Job {
  lane: string;
  /** What its message takes, in bytes. */
  size: number;
  /** Does not reject. */
  run(): Promise<void>;
}

export interface LaneLimits {
  /** Jobs under way at once. */
  parallel: number;
  /** Jobs that may wait. */
  waiting: number;
  /** What the waiting ones may take together, in bytes. */
  waitingBytes: number;
}

export interface Lanes {
  /** False when the job is one too many: it is not taken then. */
  add(job: Job): boolean;
  /** Takes the waiting jobs out, oldest first. */
  clear(): Job[];
  /** Whether nothing is under way. Then nothing waits either. */
  readonly idle: boolean;
}

export function createLanes(limits: LaneLimits, onIdle: () => void): Lanes {
  const busy = new Set<string>();
  let waiting: Job[] = [];
  let waitingBytes = 0;

  const start = (job: Job): void => {
    busy.add(job.lane);
    void job.run().finally(() => {
      busy.delete(job.lane);
      startNext();
      if (busy.size === 0) onIdle();
    });
  };
  const startNext = (): void => {
    while (busy.size < limits.parallel) {
      const at = waiting.findIndex((job) => !busy.has(job.lane));
      const [job] = at === -1 ? [] : waiting.splice(at, 1);
      if (job === undefined) return;
      waitingBytes -= job.size;
      start(job);
    }
  };

  return {
    add(job) {
      if (busy.size < limits.parallel && !busy.has(job.lane)) {
        start(job);
        return true;
      }
      if (waiting.length >= limits.waiting || waitingBytes + job.size > limits.waitingBytes) return false;
      waiting.push(job);
      waitingBytes += job.size;
      return true;
    },
    clear() {
      const jobs = waiting;
      waiting = [];
      waitingBytes = 0;
      return jobs;
    },
    get idle() {
      return busy.size === 0;
    },
  };
}
