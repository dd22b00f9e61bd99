import { defineConfig } from 'vitest/config';

/** For scenarios of the official clients: they run inside `bloomery exec`, which points the clients at a server. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.scenario.ts'],
    maxWorkers: 1,
    testTimeout: 60_000,
  },
});
