import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';

/** The second holds what has been committed lately; a server that ends well leaves none. */
const files = ['bloomery.db', 'bloomery.db-wal'];

/** Has SQLite check the database of a stopped server: a copy of it, so that recovery is left to the next start. */
export function checkDatabase(directory: string): void {
  const copy = mkdtempSync(join(tmpdir(), 'bloomery-check-'));
  try {
    for (const file of files) {
      const from = join(directory, 'data', file);
      if (existsSync(from)) cpSync(from, join(copy, file));
    }
    const database = new DatabaseSync(join(copy, 'bloomery.db'));
    try {
      expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      expect(database.prepare('pragma foreign_key_check').all()).toEqual([]);
    } finally {
      database.close();
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
