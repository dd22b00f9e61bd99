interface Waiter {
  project: string;
  settle: PromiseWithResolvers<void>;
}

export interface SlotsOptions {
  /** How many at once. */
  most: number;
  /** How many may wait. */
  queue: number;
  /** What whoever finds no place is told. */
  full: () => Error;
}

/**
 * So many at once, the rest waiting: projects take turns, and within a project who came first is served first. A full
 * queue makes room for a project that has less in it, at the cost of the one that has most.
 */
export class FairSlots {
  readonly #options: SlotsOptions;
  /** In the order of their turns; none is empty. */
  readonly #lines = new Map<string, Waiter[]>();
  #waiting = 0;
  #running = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Settles with a place, which is to be left; throws where there is none, or none in time. */
  async enter(project: string, signal: AbortSignal, milliseconds: number): Promise<void> {
    if (this.#running < this.#options.most) {
      this.#running++;
      return;
    }
    if (this.#waiting >= this.#options.queue && !this.#makeRoom(project)) throw this.#options.full();
    const waiter: Waiter = { project, settle: Promise.withResolvers() };
    const line = this.#lines.get(project);
    if (line === undefined) this.#lines.set(project, [waiter]);
    else line.push(waiter);
    this.#waiting++;
    const abort = () => this.#dismiss(waiter, signal.reason);
    const timer = setTimeout(() => this.#dismiss(waiter, this.#options.full()), milliseconds);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await waiter.settle.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  leave(): void {
    const [next] = this.#lines;
    const [project, line] = next ?? [];
    const waiter = line?.shift();
    if (waiter === undefined || project === undefined || line === undefined) {
      this.#running--;
      return;
    }
    this.#waiting--;
    this.#lines.delete(project);
    if (line.length > 0) this.#lines.set(project, line);
    waiter.settle.resolve();
  }

  #makeRoom(project: string): boolean {
    let longest: Waiter[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    const last = longest.at(-1);
    const own = this.#lines.get(project)?.length ?? 0;
    if (last === undefined || longest.length <= own + 1) return false;
    this.#dismiss(last, this.#options.full());
    return true;
  }

  #dismiss(waiter: Waiter, reason: unknown): void {
    const line = this.#lines.get(waiter.project);
    const at = line?.indexOf(waiter) ?? -1;
    if (line === undefined || at < 0) return;
    line.splice(at, 1);
    this.#waiting--;
    if (line.length === 0) this.#lines.delete(waiter.project);
    waiter.settle.reject(reason);
  }
}
