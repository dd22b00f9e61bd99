import { execFileSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as asText } from 'node:stream/consumers';
import { residentMegabytes } from './process-figures.ts';
import { launchBloomery, requestBytes } from './servers.ts';
import { median } from './statistics.ts';

export interface Files {
  megabytes: number;
  /** Medians, in milliseconds: `cp` of the file and its SHA-256, one after the other; the upload; the download. */
  floor: number;
  upload: number;
  download: number;
  /** How much more memory the server held at its most than before, in MB; null where the system does not tell. */
  growth: number | null;
}

/** As long as those of curl and of the official clients. */
const boundary = '------------------------d74496d66958873e';
const mebibyte = 1_048_576;
const fileMebibytes = 512;
const pieceBytes = 262_144;
const headBytes = 8192;
const rounds = 5;
const watchMilliseconds = 20;

/** One large file, up and down, beside what a copy and a digest of it take; a minute or so whatever the time for others. */
export async function measureFiles(
  entry: string,
  directory: string,
  onStart: (server: { pid: number }) => void,
): Promise<Files> {
  const home = join(directory, 'files');
  mkdirSync(home, { recursive: true });
  const file = join(home, 'large.bin');
  writeFile(file);
  const server = await launchBloomery(entry, home);
  onStart(server);
  const { port, pathname } = new URL(String(server.ready.endpoint));
  const at = {
    port: Number(port),
    path: `${pathname}/openai/v1/files`,
    headers: { 'api-key': String(server.ready.apiKey) },
  };
  const floors: number[] = [];
  const uploads: number[] = [];
  const downloads: number[] = [];
  let growth: number | null = null;
  for (let round = 0; round <= rounds; round++) {
    // What the server has still to sync of the round before is none of this one's.
    execFileSync('sync');
    const floor = await timed(() => copyAndDigest(file, join(home, 'copy.bin')));
    const before = residentMegabytes(server.pid);
    const watched = watch(server.pid);
    let id = '';
    const upload = await timed(async () => {
      id = await send(at, file);
    });
    const download = await timed(() => receive({ ...at, path: `${at.path}/${id}/content` }));
    const most = watched.stop();
    await call({ ...at, path: `${at.path}/${id}`, method: 'DELETE' });
    // In the first round code is compiled and memory pools grow, once and for all.
    if (round === 0) continue;
    floors.push(floor);
    uploads.push(upload);
    downloads.push(download);
    if (before !== null && most !== null) growth = Math.max(growth ?? 0, most - before);
  }
  await server.stop();
  rmSync(home, { recursive: true, force: true });
  return {
    megabytes: fileMebibytes,
    floor: median(floors),
    upload: median(uploads),
    download: median(downloads),
    growth,
  };
}

function writeFile(path: string): void {
  const chunk = randomFillSync(Buffer.alloc(mebibyte));
  const file = openSync(path, 'w');
  for (let i = 0; i < fileMebibytes; i++) writeSync(file, chunk);
  closeSync(file);
}

function copyAndDigest(from: string, to: string): void {
  execFileSync('cp', [from, to]);
  const hash = createHash('sha256');
  for (const piece of piecesOf(from)) hash.update(piece);
  hash.digest();
  rmSync(to);
}

interface Place {
  port: number;
  path: string;
  headers: Record<string, string>;
}

async function send(at: Place, file: string): Promise<string> {
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const answer = await call({
    ...at,
    method: 'POST',
    headers: {
      ...at.headers,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + fileMebibytes * mebibyte + tail.length),
    },
    body: (function* () {
      yield head;
      yield* piecesOf(file);
      yield tail;
    })(),
  });
  return String((JSON.parse(answer) as { id: unknown }).id);
}

/** In one buffer that is used again and again: new memory for each piece would cost more than all else that is done. */
function* piecesOf(file: string): Generator<Buffer> {
  const buffer = Buffer.alloc(pieceBytes);
  const opened = openSync(file, 'r');
  try {
    for (let read = readSync(opened, buffer); read > 0; read = readSync(opened, buffer)) {
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(opened);
  }
}

/** Reads into one buffer, too. The server ends the connection behind its answer. */
async function receive({ port, path, headers }: Place): Promise<void> {
  let bytes = 0;
  const head = Buffer.alloc(headBytes);
  const socket = connect({
    ...{ host: '127.0.0.1', port },
    onread: {
      buffer: Buffer.alloc(pieceBytes),
      callback(read, piece) {
        if (bytes < headBytes) Buffer.from(piece).copy(head, bytes, 0, read);
        bytes += read;
        return true;
      },
    },
  });
  socket.write(
    requestBytes({
      ...{ method: 'GET', path, port },
      headers: [`api-key: ${headers['api-key']}`, 'connection: close'],
    }),
  );
  await once(socket, 'close');
  const body = head.indexOf('\r\n\r\n') + 4;
  if (!head.toString('latin1').startsWith('HTTP/1.1 200 ') || bytes - body !== fileMebibytes * mebibyte) {
    throw new Error(`The download has ${bytes - body} bytes: ${head.toString('latin1', 0, body)}`);
  }
}

interface Call extends Place {
  method: string;
  /** Each piece is valid until the next is asked for. */
  body?: Iterable<Uint8Array>;
}

async function call({ body, ...at }: Call): Promise<string> {
  const asked = request({ host: '127.0.0.1', ...at });
  const answered = once(asked, 'response');
  for (const piece of body ?? []) await new Promise((resolve) => asked.write(piece, resolve));
  asked.end();
  const [answer] = await answered;
  const text = await asText(answer);
  if (answer.statusCode !== 200) throw new Error(`${at.method} ${at.path}: ${answer.statusCode} ${text}`);
  return text;
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function watch(pid: number) {
  let most = residentMegabytes(pid);
  const look = () => {
    const now = residentMegabytes(pid);
    if (now !== null) most = Math.max(most ?? 0, now);
  };
  const timer = setInterval(look, watchMilliseconds);
  return {
    stop() {
      clearInterval(timer);
      look();
      return most;
    },
  };
}
