/**
 * Counts what is under way, of each project. How much a project may hold depends on what is free: alone it gets
 * `sharePercent` of all, several greedy ones get equal parts as their work comes and goes, and some room always stays
 * for whoever comes next.
 */
export class FairGauge {
  readonly most: number;
  readonly #ratio: number;
  readonly #held = new Map<string, number>();
  #underWay = 0;

  constructor(most: number, sharePercent: number) {
    this.most = most;
    this.#ratio = sharePercent >= 100 ? Number.POSITIVE_INFINITY : sharePercent / (100 - sharePercent);
  }

  get underWay(): number {
    return this.#underWay;
  }

  heldBy(project: string): number {
    return this.#held.get(project) ?? 0;
  }

  /** What one project may hold when no other is there. */
  get share(): number {
    return this.#ratio === Number.POSITIVE_INFINITY
      ? this.most
      : Math.ceil((this.most * this.#ratio) / (1 + this.#ratio));
  }

  /** Whether one more fits; else `share` or `all` is the bound that is met. */
  enter(project: string): 'entered' | 'share' | 'all' {
    const free = this.most - this.#underWay;
    if (free <= 0) return 'all';
    const held = this.heldBy(project);
    if (held >= this.#ratio * free) return 'share';
    this.#underWay++;
    this.#held.set(project, held + 1);
    return 'entered';
  }

  leave(project: string): void {
    const held = this.heldBy(project);
    if (held === 0) return;
    this.#underWay--;
    if (held === 1) this.#held.delete(project);
    else this.#held.set(project, held - 1);
  }
}
