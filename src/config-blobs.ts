import type { BlobsEntry, SecretEntry } from './config-schema.ts';

/** Where the content of datasets and registered models lies. */
export interface BlobsConfig {
  /** An account of a blob service; null for the data directory. */
  account: {
    account: string;
    /** Base64. Never printed. */
    key: string;
    /** Without a slash at the end. */
    endpoint: string;
  } | null;
  /** How long addresses that were signed for clients are good for. */
  sasMinutes: number;
  /** After how long an upload that nobody asks for any more is given up. */
  abandonedHours: number;
}

export interface BlobsSource {
  /** The key itself; null where it can't be had. */
  secret(from: SecretEntry): string | null;
  fault(about: 'account' | 'key' | 'endpoint' | 'abandonedHours', message: string): void;
}

export function blobsConfig(
  given: BlobsEntry,
  defaults: Pick<BlobsConfig, 'sasMinutes' | 'abandonedHours'>,
  source: BlobsSource,
): BlobsConfig {
  const { account, key, endpoint } = given;
  const sasMinutes = given.sasMinutes ?? defaults.sasMinutes;
  const abandonedHours = given.abandonedHours ?? defaults.abandonedHours;
  if (abandonedHours * 60 < sasMinutes) {
    source.fault('abandonedHours', `must not be shorter than the ${sasMinutes} minutes of sasMinutes`);
  }
  if (account === undefined) {
    for (const name of ['key', 'endpoint'] as const) {
      if (given[name] !== undefined) source.fault(name, "has no meaning without the key 'account'");
    }
    return { account: null, sasMinutes, abandonedHours };
  }
  if (key === undefined) source.fault('account', "the key 'key' is missing; an account needs it");
  const secret = key === undefined ? null : source.secret(key);
  if (secret !== null && !/^[A-Za-z0-9+/]{16,}={0,2}$/.test(secret)) {
    source.fault('key', "must be an account's key, in base64");
  }
  const address = endpoint?.replace(/\/+$/, '') ?? `https://${account}.blob.core.windows.net`;
  return { account: { account, key: secret ?? '', endpoint: address }, sasMinutes, abandonedHours };
}
