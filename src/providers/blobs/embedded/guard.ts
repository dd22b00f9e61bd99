import type { IncomingMessage } from 'node:http';

/** What a signed address says of itself: `sr=c` is a container. */
const signature = ['sv', 'sr', 'st', 'se', 'sp', 'spr', 'sip', 'sig'];
const others = ['restype', 'comp', 'blockid', 'blocklisttype', 'prefix', 'delimiter', 'marker', 'maxresults'];
const allowedNames = new Set([...signature, ...others, 'include', 'showonly', 'timeout', 'startfrom']);
const allowedMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const allowedParts = new Set([null, 'list', 'block', 'blocklist', 'metadata', 'properties']);

export interface Refusal {
  status: number;
  /** Azure's code of the error. */
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/**
 * Null for a request that Azurite may decide about: one with the signature of the account's key. Azurite takes others,
 * too: those it signs with a key that is in its published source, and those that have it read a blob from an address.
 */
export function refusalOf({ method = '', url = '', headers }: IncomingMessage): Refusal | null {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length));
  const names = [...query.keys()];
  const isPlain = new Set(names).size === names.length && names.every((name) => allowedNames.has(name));
  const writesContainer = method !== 'GET' && method !== 'HEAD' && query.has('restype');
  if (!allowedMethods.has(method) || !isPlain || !allowedParts.has(query.get('comp')) || writesContainer) {
    return unsupported('This operation or one of its parameters is not served here.');
  }
  if (query.get('sr') !== 'c' || !query.get('sig') || headers.authorization !== undefined) {
    return {
      status: 403,
      code: 'AuthenticationFailed',
      message: 'Only addresses that were signed for a container are served here.',
    };
  }
  if (Object.keys(headers).some((name) => name.startsWith('x-ms-copy-source'))) {
    return unsupported('Blobs are not copied from other addresses here.');
  }
  const makesBlob = method === 'PUT' && !query.has('comp');
  if (makesBlob && String(headers['x-ms-blob-type']).toLowerCase() !== 'blockblob') {
    return unsupported('Only block blobs are served here.');
  }
  return null;
}

const unsupported = (message: string): Refusal => ({ status: 400, code: 'UnsupportedOperation', message });
