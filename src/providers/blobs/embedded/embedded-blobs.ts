import { existsSync } from 'node:fs';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { StorageSharedKeyCredential } from '@azure/storage-blob';
import { blobsOf, type Connected, type Storage } from '../azure-blobs.ts';
import type { Blobs } from '../blobs.ts';
import type { Azurite } from './azurite.ts';
import { extentFolder } from './blob-files.ts';
import { type Refusal, refusalOf } from './guard.ts';

/** The account's name, and so the first part of the path of its addresses on this server. */
export const embeddedAccount = 'bloomeryblobs';

export interface EmbeddedBlobs extends Blobs {
  /** Answers a request to an address of the account, by Azure's rules. */
  serve: RequestListener;
}

export interface EmbeddedOptions {
  directory: string;
  /** Base64. */
  key: string;
  sasMinutes: number;
}

/** Blobs in a directory, served by this process. Nothing is loaded, and no directory made, before the first use. */
export function embeddedBlobs({ directory, key, sasMinutes }: EmbeddedOptions): EmbeddedBlobs {
  let opening: Promise<Azurite> | undefined;
  const open = () => {
    opening ??= import('./azurite.ts')
      .then(({ openAzurite }) => openAzurite({ directory, account: embeddedAccount, key }))
      .catch((error) => {
        opening = undefined;
        throw error;
      });
    return opening;
  };

  const blobs = blobsOf({
    account: embeddedAccount,
    sasMinutes,
    connect: async (storage) => connectTo((await open()).serve, storage, key),
    address: (origin) => `${origin}/${embeddedAccount}`,
    pathOf: ({ pathname }) =>
      pathname.startsWith(`/${embeddedAccount}/`) ? pathname.slice(embeddedAccount.length + 1) : null,
    async close() {
      const azurite = await opening?.catch(() => undefined);
      await azurite?.close();
    },
  });

  return {
    ...blobs,
    serve(request, response) {
      const refusal = refusalOf(request) ?? (existsSync(extentFolder(directory)) ? null : nothingHere);
      if (refusal !== null) return refuse(request, response, refusal);
      open().then(
        ({ serve }) => serve(request, response),
        (error) => response.destroy(error),
      );
    },
  };
}

/** This process' own client talks to the listener through memory: no port that others on the machine could try. */
function connectTo(serve: RequestListener, storage: Storage, key: string): Connected {
  const server = createServer(serve);
  class MemoryAgent extends Agent {
    override createConnection(): Duplex {
      const [client, served] = duplexPair();
      server.emit('connection', served);
      return client;
    }
  }
  const agent = new MemoryAgent({ keepAlive: false });
  const credential: StorageSharedKeyCredential = new storage.StorageSharedKeyCredential(embeddedAccount, key);
  const pipeline = storage.newPipeline(credential, { retryOptions: { maxTries: 1 } });
  pipeline.factories.unshift({
    create: (next) => ({
      sendRequest: (request) => next.sendRequest(Object.assign(request, { agent })),
    }),
  });
  return {
    service: new storage.BlobServiceClient(`http://embedded/${embeddedAccount}`, pipeline),
    credential,
  };
}

const nothingHere: Refusal = {
  status: 404,
  code: 'ContainerNotFound',
  message: 'The specified container does not exist.',
};

/** Answers as Azure does. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message, headers = {} }: Refusal,
): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
    'x-ms-error-code': code,
    // The rest of its body is not waited for.
    connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
