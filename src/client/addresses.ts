/** Where a request goes. */
import type { Wire } from '../kit/operation.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The endpoint of a project without a slash at its end. Keys and tokens do not travel in the clear. */
export function checkedEndpoint(endpoint: string): string {
  const { protocol, hostname, username, search, hash } = new URL(endpoint);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback.test(hostname))) {
    throw new TypeError(`The endpoint must begin with https://, or lie on this machine: ${endpoint}`);
  }
  if (username !== '' || search !== '' || hash !== '') {
    throw new TypeError('The endpoint is an address without user, query or fragment.');
  }
  return endpoint.replace(/\/+$/, '');
}

const microsofts = /(^|\.)azure\.(com|us|cn)$/;

/** Microsoft's own service documents no ids of repeated writes, so nothing is repeated there in trust of one. */
export const honoursIds = (endpoint: string): boolean => !microsofts.test(new URL(endpoint).hostname);

export interface Place {
  endpoint: string;
  apiVersion: string;
  wire: Wire;
  path: string;
  params: object | undefined;
  query: object | undefined;
}

export function addressOf({ endpoint, apiVersion, wire, path, params, query }: Place): string {
  if (/^https?:/i.test(path)) return ofEndpoint(path, endpoint);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    segment(name, (params as Record<string, unknown> | undefined)?.[name]),
  );
  const base =
    wire === 'openai'
      ? `${endpoint}/openai/v1`
      : wire === 'admin'
        ? `${new URL(endpoint).origin}/admin`
        : endpoint;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const one of value) search.append(`${name}[]`, String(one));
    else if (value !== undefined && value !== null) search.append(name, String(value));
  }
  if (wire === 'foundry' && !search.has('api-version')) search.set('api-version', apiVersion);
  const text = search.toString();
  return text === '' ? base + filled : `${base}${filled}?${text}`;
}

/** A dot or two, even written as `%2E`, would be taken for a step in the path. */
function segment(name: string, value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '' || text === '.' || text === '..') {
    throw new TypeError(`'${name}' is needed in the path and can't be ${JSON.stringify(value)}.`);
  }
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Addresses that the service gave are used as they are, but no key goes anywhere else. */
function ofEndpoint(address: string, endpoint: string): string {
  if (new URL(address).origin === new URL(endpoint).origin) return address;
  throw new TypeError(`${address} does not belong to the endpoint ${endpoint}.`);
}
