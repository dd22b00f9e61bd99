import { Readable } from 'node:stream';
import type { BlobServiceClient, ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { apiError } from '../../errors.ts';
import type { BlobPlace, Blobs } from './blobs.ts';

export interface AzureAccount {
  account: string;
  /** Base64. */
  key: string;
  /** `https://ACCOUNT.blob.core.windows.net`, without a slash at the end. */
  endpoint: string;
  /** How long signed addresses are good for. */
  sasMinutes: number;
}

/** How an account is reached: that of a service elsewhere, or of one in this process. */
export interface AccountAccess {
  account: string;
  sasMinutes: number;
  connect(storage: Storage): Promise<Connected>;
  /** Where clients find the account. */
  address(origin: string): string;
  /** The path behind the account's address; null for an address elsewhere. */
  pathOf(url: URL): string | null;
  close(): Promise<void>;
}

export interface Connected {
  service: BlobServiceClient;
  credential: StorageSharedKeyCredential;
}

export type Storage = typeof import('@azure/storage-blob');

/** What is sent to the service at once. */
const uploadBytes = 4 * 1_048_576;

/** Clocks of clients and of the service may differ by this much. */
const clockSkewMilliseconds = 5 * 60_000;

/** A caller waits meanwhile. */
const retryOptions = {
  maxTries: 3,
  tryTimeoutInMs: 20_000,
  retryDelayInMs: 300,
  maxRetryDelayInMs: 2000,
};

/** `r` read, `c` make, `w` write, `l` list. */
const permissions = { fill: 'rcwl', read: 'rl' } as const;

/** Blobs of an Azure Storage account, or of anything that speaks its protocol. */
export const azureBlobs = ({ account, key, endpoint, sasMinutes }: AzureAccount): Blobs => {
  const { origin, pathname } = new URL(endpoint);
  const base = pathname.replace(/\/+$/, '');
  return blobsOf({
    account,
    sasMinutes,
    async connect({ BlobServiceClient, StorageSharedKeyCredential }) {
      const credential = new StorageSharedKeyCredential(account, key);
      return { service: new BlobServiceClient(origin + base, credential, { retryOptions }), credential };
    },
    address: () => origin + base,
    pathOf: (url) =>
      url.origin === origin && url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : null,
    async close() {},
  });
};

export function blobsOf(access: AccountAccess): Blobs {
  let connection: Promise<Connected & { storage: Storage }> | undefined;
  const connected = () => {
    connection ??= (async () => {
      const storage = await import('@azure/storage-blob');
      return { storage, ...(await access.connect(storage)) };
    })().catch((error) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  const containerOf = async (name: string): Promise<ContainerClient> =>
    (await connected()).service.getContainerClient(name);
  const asked = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      throw complaint(access.account, error);
    }
  };
  const askedOrNull = <T>(ask: () => Promise<T>): Promise<T | null> =>
    asked(() =>
      ask().catch((error) => {
        if (statusOf(error) === 404) return null;
        throw error;
      }),
    );
  const url = (origin: string, container: string, blob = '') =>
    [access.address(origin), container, ...(blob === '' ? [] : blob.split('/'))]
      .map((part, at) => (at === 0 ? part : encodeURIComponent(part)))
      .join('/');

  return {
    accountId: `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bloomery/providers/Microsoft.Storage/storageAccounts/${access.account}`,

    async createContainer(name) {
      await asked(async () => (await containerOf(name)).createIfNotExists());
    },

    async deleteContainer(name) {
      await asked(async () => (await containerOf(name)).deleteIfExists());
    },

    list: (name, most, from = '') =>
      asked(async () => {
        const container = await containerOf(name);
        const found = [];
        for await (const { name, properties } of container.listBlobsFlat({ prefix: from })) {
          if (found.length >= most) break;
          found.push({ name, bytes: properties.contentLength ?? 0 });
        }
        return found;
      }),

    size: (name, blob) =>
      askedOrNull(async () => {
        const { contentLength } = await (await containerOf(name)).getBlobClient(blob).getProperties();
        return contentLength ?? 0;
      }),

    read: (name, blob, most) =>
      askedOrNull(async () => {
        const client = (await containerOf(name)).getBlobClient(blob);
        const { contentLength = 0 } = await client.getProperties();
        const bytes = Math.min(contentLength, most);
        return bytes === 0 ? new Uint8Array() : client.downloadToBuffer(0, bytes);
      }),

    async *download(name, blob) {
      const client = (await containerOf(name)).getBlobClient(blob);
      const { readableStreamBody } = await asked(() => client.download());
      if (readableStreamBody !== undefined) yield* Readable.from(readableStreamBody);
    },

    async upload(name, blob, bytes) {
      const client = (await containerOf(name)).getBlockBlobClient(blob);
      await asked(() => client.uploadStream(Readable.from(bytes), uploadBytes, 2));
    },

    url,

    async signedUrl(origin, container, rights) {
      const { storage, credential } = await connected();
      const now = Date.now();
      const sas = storage.generateBlobSASQueryParameters(
        {
          containerName: container,
          permissions: storage.ContainerSASPermissions.parse(permissions[rights]),
          startsOn: new Date(now - clockSkewMilliseconds),
          expiresOn: new Date(now + access.sasMinutes * 60_000),
        },
        credential,
      );
      return `${url(origin, container)}?${sas}`;
    },

    locate(text) {
      const path = URL.canParse(text) ? access.pathOf(new URL(text)) : null;
      return path === null ? null : placeOf(path);
    },

    close: () => access.close(),
  };
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

function complaint(account: string, error: unknown): Error {
  const { code } = error as { code?: unknown };
  const reason = typeof code === 'string' && /^\w{1,64}$/.test(code) ? ` (${code})` : '';
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    const message = `The storage account '${account}' refused the key that this server has${reason}.`;
    return apiError('unprocessable', message, { cause: error });
  }
  const message = `The storage account '${account}' can't be used at the moment${reason}.`;
  return apiError('service_unavailable', message, { cause: error, retry: true });
}

function placeOf(path: string): BlobPlace | null {
  try {
    const [container = '', ...blob] = path.slice(1).split('/').map(decodeURIComponent);
    return container === '' ? null : { container, blob: blob.join('/').replace(/\/$/, '') };
  } catch {
    return null;
  }
}
