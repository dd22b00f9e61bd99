import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';

/** For each test of a file a folder of its own, and what commands say on standard output. */
export function commandWorld(): { directory: string; said: string } {
  const world = { directory: '', said: '' };
  beforeEach(() => {
    world.directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
    world.said = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      world.said += text;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(world.directory, { recursive: true, force: true });
  });
  return world;
}
