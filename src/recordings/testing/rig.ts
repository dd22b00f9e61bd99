/** A service, a recorder in front of it, and a replay of what was recorded; asked by hand, byte by byte. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createServer,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCertificates } from '../../trust/certificates.ts';
import { type OwnCredential, type Recorder, startRecorder } from '../recorder.ts';
import { readRecording } from '../recording.ts';
import { type Replay, type ReplayOptions, startReplay } from '../replay.ts';

export interface Told {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  chunks: string[];
  text: string;
  /** Whether the answer broke off. */
  isCut: boolean;
}

export interface Question {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
  host?: string;
}

export function ask(port: number, question: Question = {}): Promise<Told> {
  const { method = 'GET', path = '/v1/models', headers = {}, body, host } = question;
  const named = host === undefined ? headers : { ...headers, host };
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port, method, path, headers: named, agent: false },
      (reply) => {
        const chunks: string[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk.toString('latin1')));
        reply.on('error', () => {});
        reply.on('close', () =>
          resolve({
            ...{ status: reply.statusCode ?? 0, headers: reply.headers, chunks },
            ...{ text: Buffer.from(chunks.join(''), 'latin1').toString(), isCut: !reply.complete },
          }),
        );
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

export const json = (body: unknown, headers: OutgoingHttpHeaders = {}): Question => ({
  method: 'POST',
  path: '/v1/responses',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export async function rig() {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-recordings-'));
  const { key, certificate, ca } = await ensureCertificates(directory, []);
  const tls = { key, cert: certificate };
  const open: { close(): unknown }[] = [];
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  let files = 0;

  return {
    ca,
    tls,
    /** What was told on the console. */
    lines,
    newFile: () => join(directory, `${++files}.jsonl`),

    async service(answer: RequestListener): Promise<URL> {
      const server: Server = createServer(answer).listen(0, '127.0.0.1');
      await once(server, 'listening');
      open.push({
        close() {
          server.closeAllConnections();
          server.close();
        },
      });
      return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
    },

    async record(upstream: URL, file: string, credential: OwnCredential | null = null): Promise<Recorder> {
      const recorder = await startRecorder({
        upstream,
        upstreamCa: null,
        credential,
        file,
        port: 0,
        tls,
        tell,
      });
      open.push(recorder);
      return recorder;
    },

    async replay(file: string, how: Partial<ReplayOptions> = {}): Promise<Replay> {
      const recording = await readRecording(file);
      const replay = await startReplay({
        isLenient: false,
        isTimed: false,
        ...how,
        recording,
        port: 0,
        tls,
        tell,
      });
      open.push(replay);
      return replay;
    },

    async reset(): Promise<void> {
      for (const one of open.splice(0)) await one.close();
      lines.length = 0;
    },

    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export const exchangesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line));
