import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent, RequestInit as UndiciInit } from 'undici';
import { ApiError, apiError, invalidPayload } from '../../errors.ts';
import { allowList, withoutDot } from '../../kit/allow-list.ts';
import { type AddressRules, addressFault } from './addresses.ts';
import type { Outbound, OutboundPolicy } from './outbound.ts';
import { isOwn, type OwnServer, rootsWith } from './own-server.ts';

/** All addresses of a host name. */
export type Lookup = (host: string) => Promise<LookupAddress[]>;

export interface OutboundParts {
  lookup?: Lookup;
  own?: OwnServer;
}

const mostRedirects = 5;
const connectMilliseconds = 10_000;
const checkMilliseconds = 5000;

/** What may follow a redirect to another origin. Anything else, whatever its name, may be a credential. */
const harmlessHeaders = new Set([
  'accept',
  'accept-language',
  'content-language',
  'content-type',
  'mcp-protocol-version',
  'user-agent',
]);

export function createOutbound(
  policy: OutboundPolicy,
  { lookup = allAddresses, own }: OutboundParts = {},
): Outbound {
  const allowed = allowList(policy.allow);
  const standIns = new Map(
    Object.entries(policy.hosts ?? {}).map(([name, origin]) => [name.toLowerCase(), new URL(origin)]),
  );
  const rules: AddressRules = { allowLoopback: policy.allowLoopback, allow: allowed.addresses };

  /** Throws for a URL that says by itself that it must not be called. */
  const checkUrl = (text: string, target: string | null): URL => {
    const url = parsed(text, target);
    const host = hostOf(url);
    if (isIP(host) !== 0) checkAddress(host, url, target);
    return url;
  };
  const checkAddress = (address: string, url: URL, target: string | null): void => {
    if (allowed.hosts.has(hostOf(url)) || standIns.has(hostOf(url))) return;
    const fault = addressFault(address, rules);
    if (fault !== null) throw refused(url, fault, target);
  };
  /** The addresses of a host name, each of them one that may be reached. */
  const resolved = async (url: URL, target: string | null): Promise<LookupAddress[]> => {
    if (standIns.has(hostOf(url))) return [];
    const found = await lookup(hostOf(url));
    for (const { address } of found) checkAddress(address, url, target);
    return found;
  };

  /** A connection goes to the very addresses that were checked: asked again, a name may answer another. */
  const checkedLookup: LookupFunction = (host, options, callback) => {
    resolved(new URL(`http://${host}`), null).then(
      (found) => answerLookup(found, options, callback),
      (error) => callback(error, '', 0),
    );
  };

  const leadsHome = own === undefined ? () => false : isOwn(own);
  const ownRoots = (url: URL): { ca?: string[] } =>
    own !== undefined && leadsHome(hostOf(url), url) ? { ca: rootsWith(own) } : {};

  let agent:
    | Promise<{ send: typeof import('undici').fetch; of(url: URL, standIn: URL | undefined): Agent }>
    | undefined;
  const open = () => {
    agent ??= import('undici').then(({ Agent, fetch }) => {
      const timeout = connectMilliseconds;
      const checked = new Agent({ connect: { timeout, lookup: checkedLookup } });
      const unchecked = new Agent({ connect: { timeout } });
      let home: Agent | undefined;
      return {
        send: fetch,
        of(url, standIn) {
          if (standIn !== undefined) return unchecked;
          if (!leadsHome(hostOf(url), url)) return checked;
          home ??= new Agent({ connect: { timeout, lookup: checkedLookup, ...ownRoots(url) } });
          return home;
        },
      };
    });
    return agent;
  };

  async function send(url: URL, init: UndiciInit): Promise<Response> {
    const { send, of } = await open();
    const standIn = standIns.get(hostOf(url));
    const options = { ...init, redirect: 'manual' as const, dispatcher: of(url, standIn) };
    try {
      return (await send(standInFor(url, standIn), options)) as unknown as Response;
    } catch (error) {
      throw refusalIn(error) ?? error;
    }
  }

  return {
    async fetch(input, init) {
      checkUrl(input instanceof Request ? input.url : String(input), null);
      const request = new Request(input, init);
      // Whole, since a redirect may ask for it again.
      let body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
      let { method } = request;
      let headers = new Headers(request.headers);
      let url = new URL(request.url);
      for (let redirects = 0; ; redirects++) {
        const response = await send(url, { method, headers: [...headers], body, signal: request.signal });
        const location = isRedirect(response.status) ? response.headers.get('location') : null;
        if (location === null || request.redirect === 'manual') return response;
        await response.body?.cancel();
        if (request.redirect === 'error') throw new TypeError('The answer was a redirect.');
        if (redirects === mostRedirects) {
          throw apiError('model_error', `${url.origin} redirects more than ${mostRedirects} times.`);
        }
        const next = checkUrl(URL.parse(location, url)?.href ?? location, null);
        if (becomesGet(response.status, method)) {
          method = 'GET';
          body = null;
          for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name);
        }
        if (next.origin !== url.origin) headers = harmless(headers);
        url = next;
      }
    },

    async webSocket(text, limits) {
      const url = checkUrl(text.replace(/^ws(?=s?:)/i, 'http'), null);
      const { openWebSocket } = await import('./open-web-socket.ts');
      try {
        return await openWebSocket(text, { lookup: checkedLookup, ...ownRoots(url) }, limits);
      } catch (error) {
        throw refusalIn(error) ?? error;
      }
    },

    async check(text, target) {
      const url = checkUrl(text, target);
      if (isIP(hostOf(url)) !== 0) return;
      const patience = Promise.withResolvers<null>();
      const timer = setTimeout(patience.resolve, checkMilliseconds, null);
      try {
        await Promise.race([resolved(url, target), patience.promise]);
      } catch (error) {
        // A name that leads nowhere is no danger; calling it says so.
        if (error instanceof ApiError) throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function standInFor(url: URL, standIn: URL | undefined): URL {
  if (standIn === undefined) return url;
  const moved = new URL(url);
  moved.protocol = standIn.protocol;
  moved.host = standIn.host;
  if (standIn.port === '') moved.port = '';
  return moved;
}

const allAddresses: Lookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true, verbatim: true }, (error, found) =>
      error ? reject(error) : resolve(found),
    );
  });

function answerLookup(
  found: LookupAddress[],
  options: { all?: boolean | undefined; family?: unknown },
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
): void {
  const fitting = found.filter(
    ({ family }) => (options.family !== 4 && options.family !== 6) || options.family === family,
  );
  const [first] = fitting;
  if (first === undefined) {
    callback(Object.assign(new Error('The host has no address.'), { code: 'ENOTFOUND' }), '', 0);
  } else if (options.all) callback(null, fitting);
  else callback(null, first.address, first.family);
}

function parsed(text: string, target: string | null): URL {
  const url = URL.parse(text);
  if (url === null) throw invalidPayload(target ?? 'url', `'${text.slice(0, 200)}' is not a URL.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw apiError(
      'address_not_allowed',
      `What is called may be http and https only, not '${url.protocol}'.`,
      {
        target,
      },
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw apiError('address_not_allowed', 'A URL must not carry a user or password.', { target });
  }
  return url;
}

/** Without brackets, and without the dot that ends a whole name. */
const hostOf = ({ hostname }: URL): string => withoutDot(hostname.replace(/^\[|\]$/g, ''));

const refused = ({ hostname }: URL, fault: string, target: string | null): ApiError =>
  apiError(
    'address_not_allowed',
    `Tools and inputs may not reach '${hostname}': its address is ${fault}. An operator can allow it by 'outbound.allow' in bloomery.yaml.`,
    { target },
  );

/** Ours, wherever the HTTP client has wrapped it. */
function refusalIn(error: unknown): ApiError | null {
  let inner = error;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    if (inner instanceof ApiError) return inner;
    inner = inner.cause;
  }
  return null;
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** As browsers do, and `fetch`. */
const becomesGet = (status: number, method: string): boolean =>
  (status === 303 && method !== 'GET' && method !== 'HEAD') ||
  ((status === 301 || status === 302) && method === 'POST');

const harmless = (headers: Headers): Headers =>
  new Headers([...headers].filter(([name]) => harmlessHeaders.has(name)));
