import type { RequestListener } from 'node:http';
import type { BlobsConfig } from '../../config.ts';
import { azureBlobs } from './azure-blobs.ts';
import type { Blobs } from './blobs.ts';
import { embeddedAccount, embeddedBlobs, refuse } from './embedded/embedded-blobs.ts';

export interface OpenBlobs {
  own: Blobs;
  /** What this server answers itself below the path `/ACCOUNT/`; null where another service does. */
  served: { account: string; serve: RequestListener; refuse: typeof refuse } | null;
  /** Where the files of this server's own account are; null for an account elsewhere. */
  directory: string | null;
}

/** The account of the configuration, or else one in `directory`, whose key is `key`. */
export function openBlobs(
  { account, sasMinutes }: BlobsConfig,
  embedded: { directory: string; key: Buffer },
): OpenBlobs {
  if (account !== null) return { own: azureBlobs({ ...account, sasMinutes }), served: null, directory: null };
  const { directory, key } = embedded;
  const own = embeddedBlobs({ directory, key: key.toString('base64'), sasMinutes });
  return { own, served: { account: embeddedAccount, serve: own.serve, refuse }, directory };
}
