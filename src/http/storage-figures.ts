import type { Metrics } from '../traffic/metrics.ts';
import type { DiskSpace } from './disk-space.ts';

export interface StorageFigures {
  budgets(): Promise<{ name: string; most: number; used: number }[]>;
  background(): { running: number; waiting: number };
  disk: DiskSpace;
  databaseBytes(): number;
}

/** For how long what was counted in the database is told again. */
const rememberedMilliseconds = 10_000;

/** What is kept, and how much of it may be. Budgets are per project or the like: told is whoever has most. */
export function storageFigures(
  metrics: Metrics,
  { budgets, background, disk, databaseBytes }: StorageFigures,
): void {
  let counted: ReturnType<StorageFigures['budgets']> | null = null;
  let countedAt = 0;
  const recently = () => {
    if (counted === null || performance.now() - countedAt > rememberedMilliseconds) {
      countedAt = performance.now();
      counted = budgets();
      // The next look counts anew.
      counted.catch(() => {
        counted = null;
      });
    }
    return counted;
  };
  metrics.gauges('bloomery_budget_used', 'What whoever has most of a budget has of it.', async () =>
    (await recently()).map(({ name, used }) => [{ budget: name }, used] as const),
  );
  metrics.gauges('bloomery_budget_limit', 'How much of a budget anybody may have.', async () =>
    (await recently()).map(({ name, most }) => [{ budget: name }, most] as const),
  );
  metrics.gauges('bloomery_background_responses', 'Background responses by state.', () => {
    const { running, waiting } = background();
    return [
      [{ state: 'running' }, running],
      [{ state: 'waiting' }, waiting],
    ];
  });
  metrics.gauges('bloomery_database_bytes', 'What the database takes on disk.', () => [
    [{}, databaseBytes()],
  ]);
  metrics.gauges('bloomery_disk_free_bytes', 'What is free on the disk of the data directory.', () => [
    [{}, disk.freeBytes],
  ]);
}
