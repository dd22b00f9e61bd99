/** `DATA/run.json`: how to reach the server that is running on a data directory. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, readJsonIfPresent, writeDurably } from './durable-file.ts';

export interface RunFile {
  pid: number;
  port: number;
  endpoint: string;
  identityEndpoint: string;
  identityHeader: string;
  /** Null where the server knows only the key's hash. */
  apiKey: string | null;
  caFile: string;
  caBundleFile: string;
  deployments: string[];
  startedAt: string;
}

export const runFilePath = (directory: string): string => join(directory, 'run.json');

export function writeRunFile(directory: string, server: Omit<RunFile, 'pid' | 'startedAt'>): RunFile {
  const { port, endpoint, identityEndpoint, identityHeader, apiKey, caFile, caBundleFile, deployments } =
    server;
  const run: RunFile = {
    pid: process.pid,
    port,
    endpoint,
    identityEndpoint,
    identityHeader,
    apiKey: apiKey || null,
    caFile,
    caBundleFile,
    deployments,
    startedAt: new Date().toISOString(),
  };
  writeDurably(runFilePath(directory), `${JSON.stringify(run, null, 2)}\n`);
  return run;
}

/** Null when there is none, or the process that wrote it is gone. */
export function readRunFile(directory: string): RunFile | null {
  const file = runFilePath(directory);
  const run = readJsonIfPresent(file, 'Delete it and start the server again.') as RunFile | null;
  return run !== null && isAlive(run.pid) ? run : null;
}

/** Removes the file unless another server has written it since. */
export function removeRunFile(directory: string): void {
  try {
    if (readRunFile(directory)?.pid !== process.pid) return;
  } catch {
    return;
  }
  rmSync(runFilePath(directory), { force: true });
}

function isAlive(pid: unknown): boolean {
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
