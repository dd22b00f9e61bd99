/** What `record` and `replay` have in common: a local server, until a signal or the end of a program. */
import { resolve } from 'node:path';
import { identityPath } from '../recordings/front.ts';
import { ensureCertificates } from '../trust/certificates.ts';
import { recordingEnvironment } from './client-environment.ts';
import { exitCodes } from './exit-codes.ts';
import { relaySignals, runProgram, temporaryDirectory } from './run-program.ts';
import { watchStopSignals } from './signals.ts';

export interface LocalServer {
  port: number;
  close(): Promise<void>;
}

export interface RecordingRun<T extends LocalServer> {
  data: string | null;
  program: string[];
  isJson: boolean;
  /** The path that clients add theirs to. */
  base: string;
  /** What clients sign in with; null where they have credentials of the upstream. */
  apiKey: string | null;
  start(tls: { key: string; cert: string }): Promise<T>;
  /** What people are told when it is ready, and when it has ended. */
  ready(endpoint: string): string;
  ended(server: T): string;
}

export async function runRecordingServer<T extends LocalServer>(run: RecordingRun<T>): Promise<number> {
  const hasProgram = run.program.length > 0;
  const directory = run.data ?? (hasProgram ? temporaryDirectory() : '.bloomery');
  const certificates = await ensureCertificates(resolve(directory), []);
  const signals = hasProgram ? relaySignals() : null;
  const stop = hasProgram ? null : watchStopSignals();
  const server = await run.start({ key: certificates.key, cert: certificates.certificate });
  const { caFile, caBundleFile } = certificates;
  const endpoint = `https://127.0.0.1:${server.port}${run.base}`;
  try {
    if (run.isJson) print(JSON.stringify({ endpoint, caFile, apiKey: run.apiKey, pid: process.pid }));
    if (signals === null) {
      if (!run.isJson) print(`\n${run.ready(endpoint)}\n  Certificate  ${caFile}\n`);
      await stop?.requested;
      return exitCodes.ok;
    }
    const identityEndpoint = `http://127.0.0.1:${server.port}${identityPath}`;
    const signIn =
      run.apiKey === null ? null : { apiKey: run.apiKey, identityEndpoint, identityHeader: run.apiKey };
    const variables = recordingEnvironment({ endpoint, caFile, caBundleFile, signIn });
    return await runProgram(run.program, variables, signals);
  } finally {
    await server.close();
    process.stderr.write(`bloomery: ${run.ended(server)}\n`);
    signals?.release();
    stop?.release();
  }
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);

/** On a line of its own, for a person. */
export const tell = (line: string): void => {
  process.stderr.write(`bloomery: ${line}\n`);
};
