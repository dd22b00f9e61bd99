import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, loadConfig } from '../config.ts';

const usualFile = 'bloomery.yaml';

/** The configuration file to use: the one given, else the usual one where present. */
export const configurationFile = (given: string | null): string | null =>
  given ?? (existsSync(usualFile) ? usualFile : null);

export function loadConfiguration(file: string | null, project: string | null, discovery?: boolean): Config {
  return loadConfig({
    file: file === null ? null : resolve(file),
    environment: process.env,
    project: project ?? undefined,
    discovery,
  });
}
