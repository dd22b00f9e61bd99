import { resolve } from 'node:path';
import { type RunningServer, startServer } from '../server.ts';
import { removeRunFile, writeRunFile } from '../trust/run-file.ts';
import type { Arguments } from './arguments.ts';
import { banner } from './banner.ts';
import { configurationFile, loadConfiguration } from './configuration.ts';
import { exitCodes } from './exit-codes.ts';
import { settleMemory } from './settle-memory.ts';
import { watchStopSignals } from './signals.ts';

export async function serve({ values }: Arguments<'serve'>): Promise<number> {
  const stop = watchStopSignals();
  const dataDirectory = resolve(values.data);
  const server = await startServer({
    port: values.port,
    host: values.host,
    dataDirectory,
    config: loadConfiguration(configurationFile(values.config), values.project),
    apiKey: values['api-key'],
    logLevel: values['log-level'],
    faults: values.faults,
  });
  try {
    writeRunFile(dataDirectory, server);
    server.onApiKeyChanged(() => writeRunFile(dataDirectory, server));
    process.stdout.write(values.json ? `${readyLine(server)}\n` : banner(server));
    settleMemory();
    await stop.requested;
  } finally {
    // Before the lock is let go, so that it can't be the file of a successor.
    removeRunFile(dataDirectory);
    await server.close();
    stop.release();
  }
  return exitCodes.ok;
}

function readyLine({ endpoint, apiKey, caFile, dataDirectory }: RunningServer): string {
  return JSON.stringify({
    endpoint,
    apiKey: apiKey || null,
    caFile: resolve(caFile),
    dataDir: resolve(dataDirectory),
    pid: process.pid,
  });
}
