import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, openConnection } from './connection.ts';
import { shareCores } from './cores.ts';
import { type BenchDocument, mixedDocuments, plainDocuments } from './documents.ts';
import type { Launched } from './launch.ts';
import { openConnections, succeeded } from './load.ts';
import { coreSeconds } from './process-figures.ts';
import { pulse } from './pulse.ts';
import { httpRequest, launchBloomery, requestBytes } from './servers.ts';
import { median, medianKnown, percentile } from './statistics.ts';

export interface Ingestion {
  mixed: TakenIn;
  /** Of one kind and without embeddings: what cutting, counting words and writing cost. */
  plain: TakenIn;
  /** Of the plain files, put into a table of FTS5 one by one, in MB of text a second. */
  floor: number;
}

export interface TakenIn {
  documents: number;
  megabytes: number;
  uploadsPerSecond: number;
  /** On one core, from the request for the batch until all of it is completed; medians of the rounds. */
  documentsPerSecond: number;
  megabytesPerSecond: number;
  /** By the time that the server's threads and processes ran, whoever else used the core; null where unknown. */
  megabytesPerCoreSecond: number | null;
  others: Others;
}

/** Agent GETs at a fixed rate, on all cores: those of others, while documents are taken in. */
interface Others {
  /** Before and meanwhile, in milliseconds; medians of the rounds. */
  idle: Quantiles;
  meanwhile: Quantiles;
  /** The median over the rounds of the latter p99 by the former. */
  ratio: number;
  megabytesPerSecond: number;
}

interface Quantiles {
  median: number;
  p99: number;
}

const mixed = { count: 1000, averageBytes: 10_000 };
const plain = { count: 200, bytes: 100_000 };
const rounds = 3;
const connectionCount = 16;
const getsPerSecond = 250;
const idleMilliseconds = 5000;
const pollMilliseconds = 250;
const warmUpDocuments = 40;
const megabyte = 1e6;

/** Documents through the front door, on one core, and then again beside reads of an agent; three minutes or so. */
export async function measureIngestion(
  entry: string,
  directory: string,
  oneCore: (server: { pid: number }) => void,
): Promise<Ingestion> {
  const on = async <T>(
    server: Launched,
    documents: BenchDocument[],
    measure: (uploaded: Uploaded) => Promise<T>,
  ): Promise<T> => {
    const uploaded = await upload(server, documents);
    // The processes that read documents start, and V8 compiles what they and the server do.
    await uploaded.ingest(uploaded.ids.slice(0, warmUpDocuments));
    const measured = await measure(uploaded);
    uploaded.close();
    await server.stop();
    return measured;
  };
  const run = async (name: string, documents: BenchDocument[], configuration: object): Promise<TakenIn> => {
    const home = (of: string) => join(directory, `${name}-${of}`);
    const alone = await launchBloomery(entry, home('alone'), { ...configuration });
    oneCore(alone);
    const speed = await on(alone, documents, (uploaded) => takeIn(alone, documents, uploaded));
    // A server leaves cores to others by how many it finds at its start.
    shareCores([]);
    const shared = await launchBloomery(entry, home('shared'), { ...configuration });
    const others = await on(shared, documents, (uploaded) => besideOthers(documents, uploaded));
    for (const each of ['alone', 'shared']) rmSync(home(each), { recursive: true, force: true });
    return { ...speed, others };
  };
  const ofMixed = await run('mixed', mixedDocuments(mixed.count, mixed.averageBytes), {});
  const plainFiles = plainDocuments(plain.count, plain.bytes);
  const ofPlain = await run('plain', plainFiles, { vectorStores: { embeddings: 'none' } });
  const floors = Array.from({ length: rounds }, (_, at) =>
    fullTextFloor(join(directory, `full-text-${at}`), plainFiles),
  );
  return { mixed: ofMixed, plain: ofPlain, floor: median(floors) };
}

type Uploaded = Awaited<ReturnType<typeof upload>>;

async function upload({ ready }: Launched, documents: BenchDocument[]) {
  const { port: portText, pathname } = new URL(String(ready.endpoint));
  const port = Number(portText);
  const headers = [`api-key: ${ready.apiKey}`];
  const control = await openConnection(port);
  const requestOf = (method: string, path: string, body?: object): Buffer =>
    httpRequest({ method, path: `${pathname}${path}`, port, headers, body });
  const ask = async (...given: Parameters<typeof requestOf>): Promise<Record<string, unknown>> =>
    JSON.parse(succeeded(await control.ask(requestOf(...given))).text());

  await ask('POST', '/agents/bench-agent/versions?api-version=v1', {
    definition: { kind: 'prompt', model: 'builtin', instructions: 'Be brief.' },
  });
  const start = performance.now();
  const ids: string[] = [];
  for (const document of documents) {
    const form = formOf(document);
    const request = requestBytes({
      method: 'POST',
      path: `${pathname}/openai/v1/files`,
      port,
      headers: [...headers, form.header],
      content: form.content,
    });
    ids.push(JSON.parse(succeeded(await control.ask(request)).text()).id);
  }
  const seconds = (performance.now() - start) / 1000;

  /** Seconds until all are in a vector store of their own. */
  const ingest = async (fileIds: string[]): Promise<number> => {
    const store = await ask('POST', '/openai/v1/vector_stores', { name: 'bench' });
    const from = performance.now();
    const path = `/openai/v1/vector_stores/${store.id}/file_batches`;
    let batch = await ask('POST', path, { file_ids: fileIds });
    while (batch.status === 'in_progress') {
      await sleep(pollMilliseconds);
      batch = await ask('GET', `${path}/${batch.id}`);
    }
    const { completed } = batch.file_counts as { completed: number };
    if (completed !== fileIds.length)
      throw new Error(`${completed} of ${fileIds.length} files were taken in.`);
    return (performance.now() - from) / 1000;
  };
  let connections: Connection[] = [];
  const agent = requestOf('GET', '/agents/bench-agent?api-version=v1');
  return {
    ids,
    seconds,
    ingest,
    /** How long GETs take until that is done, sorted. */
    async reads(done: Promise<unknown>): Promise<number[]> {
      // The server closes those that are not used for a while.
      if (connections.length === 0) connections = await openConnections(port, connectionCount);
      return pulse(connections, { request: agent, perSecond: getsPerSecond, done });
    },
    close() {
      for (const connection of [control, ...connections] satisfies Connection[]) connection.close();
    },
  };
}

async function takeIn(
  { pid }: Launched,
  documents: BenchDocument[],
  { ids, seconds, ingest }: Uploaded,
): Promise<Omit<TakenIn, 'others'>> {
  const megabytes = megabytesOf(documents);
  const times: number[] = [];
  const cores: (number | null)[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = coreSeconds(pid);
    times.push(await ingest(ids));
    const after = coreSeconds(pid);
    cores.push(before === null || after === null ? null : after - before);
  }
  const used = medianKnown(cores);
  return {
    documents: documents.length,
    megabytes,
    uploadsPerSecond: documents.length / seconds,
    documentsPerSecond: documents.length / median(times),
    megabytesPerSecond: megabytes / median(times),
    megabytesPerCoreSecond: used === null ? null : megabytes / used,
  };
}

async function besideOthers(documents: BenchDocument[], { ids, ingest, reads }: Uploaded): Promise<Others> {
  await reads(sleep(idleMilliseconds));
  const times: number[] = [];
  const idle: Quantiles[] = [];
  const meanwhile: Quantiles[] = [];
  for (let round = 0; round < rounds; round++) {
    idle.push(quantiles(await reads(sleep(idleMilliseconds))));
    const ingesting = ingest(ids);
    meanwhile.push(quantiles(await reads(ingesting)));
    times.push(await ingesting);
  }
  return {
    idle: middle(idle),
    meanwhile: middle(meanwhile),
    ratio: median(meanwhile.map(({ p99 }, round) => p99 / (idle[round] as Quantiles).p99)),
    megabytesPerSecond: megabytesOf(documents) / median(times),
  };
}

const megabytesOf = (documents: readonly BenchDocument[]): number =>
  documents.reduce((sum, { textBytes }) => sum + textBytes, 0) / megabyte;

const quantiles = (sorted: number[]): Quantiles => ({
  median: percentile(sorted, 0.5),
  p99: percentile(sorted, 0.99),
});

const middle = (all: Quantiles[]): Quantiles => ({
  median: median(all.map((one) => one.median)),
  p99: median(all.map(({ p99 }) => p99)),
});

function formOf({ filename, content }: BenchDocument): { header: string; content: Uint8Array } {
  const head =
    '--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n' +
    `--edge\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`;
  return {
    header: 'content-type: multipart/form-data; boundary=edge',
    content: Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--edge--\r\n')]),
  };
}

/** Reads files and puts each into a table of FTS5, with a commit each; in MB a second. */
function fullTextFloor(directory: string, documents: readonly BenchDocument[]): number {
  mkdirSync(directory);
  for (const { filename, content } of documents) writeFileSync(join(directory, filename), content);
  const db = new DatabaseSync(join(directory, 'floor.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = normal');
  db.exec(`create virtual table texts using fts5(text, tokenize = 'porter unicode61')`);
  const insert = db.prepare('insert into texts (text) values (?)');
  const start = performance.now();
  let bytes = 0;
  for (const { filename } of documents) {
    const content = readFileSync(join(directory, filename));
    insert.run(content.toString('utf8'));
    bytes += content.length;
  }
  const seconds = (performance.now() - start) / 1000;
  db.close();
  rmSync(directory, { recursive: true, force: true });
  return bytes / megabyte / seconds;
}
