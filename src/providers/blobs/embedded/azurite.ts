import { mkdirSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { blobList, extentFolder } from './blob-files.ts';
import { extentClock, extentFiles } from './extent-files.ts';

export interface AzuriteOptions {
  directory: string;
  account: string;
  /** Base64. */
  key: string;
}

export interface Azurite {
  serve: RequestListener;
  close(): Promise<void>;
}

/** What is used of Azurite, which has no types. */
interface MetadataStore {
  db: { saveDatabase(done: (error?: unknown) => void): void };
  init(): Promise<void>;
  close(): Promise<void>;
  iteratorExtents(): { next(): Promise<{ done?: boolean; value: Iterable<string> & { length: number } }> };
}
type Module<T> = { default: T };
type ListenerFactory = new (
  metadata: MetadataStore,
  extents: object,
  accounts: object,
  accessLog: boolean,
  accessLogStream: undefined,
  loose: boolean,
  skipApiVersionCheck: boolean,
  oauth: undefined,
  disableProductStyleUrl: boolean,
) => { createRequestListener(): RequestListener };
type MetadataStoreClass = new (path: string, inMemory: boolean) => MetadataStore;

const require = createRequire(import.meta.url);
const parts = 'azurite/dist/src';
const sweepMilliseconds = 10 * 60_000;

/** Azure's blob service within this process: its request listener, without a port of its own. */
export async function openAzurite({ directory, account, key }: AzuriteOptions): Promise<Azurite> {
  withoutTelemetry();
  const { default: Factory } = load<Module<ListenerFactory>>('blob/BlobRequestListenerFactory.js');
  const { default: Metadata } = load<Module<MetadataStoreClass>>('blob/persistence/LokiBlobMetadataStore.js');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const metadata = new Metadata(blobList(directory), false);
  await metadata.init();
  const extents = extentFiles(extentFolder(directory));
  const accounts = {
    getAccount: (name: string) =>
      name === account ? { name, key1: Buffer.from(key, 'base64'), key2: undefined } : undefined,
  };
  const listener = new Factory(
    metadata,
    extents.store,
    accounts,
    false,
    undefined,
    false,
    true,
    undefined,
    true,
  ).createRequestListener();

  /** When the requests under way began. What they have written may not be part of a blob yet. */
  const begun = new Set<{ at: number }>();
  const flush = () =>
    new Promise<void>((resolve, reject) =>
      metadata.db.saveDatabase((error) => (error ? reject(error) : resolve())),
    );
  let sweeping: Promise<void> = Promise.resolve();
  const sweep = () => {
    sweeping = sweeping
      .catch(() => {})
      .then(async () => {
        const since = Math.min(extentClock(), ...[...begun].map(({ at }) => at));
        await extents.sweep(await extentsOf(metadata), since);
      });
    return sweeping;
  };
  const timer = setInterval(() => void sweep().catch(() => {}), sweepMilliseconds).unref();
  await extents.sweep(await extentsOf(metadata), Number.POSITIVE_INFINITY);

  return {
    serve(request, response) {
      const entry = { at: extentClock() };
      begun.add(entry);
      response.once('close', () => begun.delete(entry));
      if (request.method === 'PUT' || request.method === 'DELETE') {
        const isBlock = new URL(request.url ?? '', 'http://here').searchParams.get('comp') === 'block';
        const end = response.end.bind(response) as (...args: unknown[]) => typeof response;
        // Azurite writes its list of blobs down every few seconds; what it has confirmed must be there before.
        response.end = ((...args: unknown[]) => {
          if (response.statusCode >= 300 || isBlock) return end(...args);
          flush()
            .then(() => (request.method === 'DELETE' ? sweep() : undefined))
            .then(
              () => end(...args),
              (error) => response.destroy(error),
            );
          return response;
        }) as typeof response.end;
      }
      listener(request, response);
    },
    async close() {
      clearInterval(timer);
      await sweeping.catch(() => {});
      await metadata.close();
    },
  };
}

async function extentsOf(metadata: MetadataStore): Promise<Set<string>> {
  const used = new Set<string>();
  const pages = metadata.iteratorExtents();
  for (;;) {
    const { done, value } = await pages.next();
    for (const id of value) used.add(id);
    if (done !== false && value.length === 0) return used;
  }
}

const load = <T>(path: string): T => require(`${parts}/${path}`) as T;

/** Azurite's reports to Microsoft are never loaded; they are most of what it weighs, too. */
function withoutTelemetry(): void {
  const path = require.resolve(`${parts}/common/Telemetry.js`);
  if (require.cache[path] !== undefined) return;
  const silent = Object.assign(Object.create(null), {
    id: path,
    filename: path,
    loaded: true,
    children: [],
    paths: [],
    exports: { AzuriteTelemetryClient: { TraceRequest() {} } },
  });
  require.cache[path] = silent;
}
