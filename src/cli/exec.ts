import { resolve } from 'node:path';
import { startServer } from '../server.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { clientEnvironment } from './client-environment.ts';
import { loadConfiguration } from './configuration.ts';
import { relaySignals, runProgram, temporaryDirectory } from './run-program.ts';

export async function exec({ values, program }: Arguments<'exec'>): Promise<number> {
  if (program.length === 0) throw new UsageError("Which command? Put it after '--'.", 'exec');
  const config = loadConfiguration(values.config, values.project, false);

  const signals = relaySignals();
  const dataDirectory = values.data === null ? temporaryDirectory() : resolve(values.data);
  const server = await startServer({
    port: values.port,
    host: values.host,
    dataDirectory,
    config,
    apiKey: values['api-key'],
    logLevel: values['log-level'],
    faults: values.faults,
    isTemporary: values.data === null,
  });
  try {
    return await runProgram(program, clientEnvironment(server, values.deployment), signals);
  } finally {
    await server.close();
    signals.release();
  }
}
