import type { WebSocket } from 'ws';
import { ApiError, invalidPayload } from '../../../errors.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { bearerToken, type NamedConnection } from '../named-connection.ts';
import { serviceCaller } from '../service-call.ts';
import { toolFailure } from '../tool-failure.ts';

/** Begins a browser in a workspace of Azure's Playwright service and connects to it. */
export type BeginBrowser = (signal: AbortSignal) => Promise<WebSocket>;

const service = 'The Playwright workspace';
const mostBytes = 16_777_216;

/** The workspace of a connection. Throws about one that names none, or has no token. */
export async function playwrightWorkspace(outbound: Outbound, named: NamedConnection): Promise<BeginBrowser> {
  const address = addressOf(named);
  const authorization = bearerToken(named, 'Playwright workspaces');
  await outbound.check(address, named.place);
  const call = serviceCaller(outbound, { name: service, headers: { authorization } });
  return async (signal) => {
    const query = new URLSearchParams({
      os: 'Linux',
      browser: 'chromium',
      playwrightVersion: 'cdp',
      shouldRedirect: 'false',
      runId: crypto.randomUUID(),
    });
    const { sessionUrl } = await call(`${address}?${query}`, { signal });
    if (typeof sessionUrl !== 'string' || !/^wss?:\/\//i.test(sessionUrl)) {
      throw toolFailure(`${service} answered without a 'sessionUrl'.`);
    }
    try {
      return await outbound.webSocket(sessionUrl, { mostBytes, signal });
    } catch (error) {
      // The address of a session has its credentials in it, so that its error is not told.
      if (error instanceof ApiError || signal.aborted) throw error;
      throw toolFailure('The browser of the Playwright workspace could not be reached.');
    }
  };
}

/** The service shows the address for WebSockets; a browser is asked for by HTTP at the same. */
function addressOf({ connection, place }: NamedConnection): string {
  const url = URL.parse(connection.target.replace(/^ws(?=s?:\/\/)/i, 'http'));
  if (url !== null && /^https?:$/.test(url.protocol) && /\/browsers\/?$/.test(url.pathname)) {
    return `${url.origin}${url.pathname.replace(/\/$/, '')}`;
  }
  throw invalidPayload(
    place,
    `The connection '${connection.name}' names no Playwright workspace. Set its target to wss://REGION.api.playwright.microsoft.com/playwrightworkspaces/WORKSPACE/browsers.`,
  );
}
