/** How tools reach the outside: every call of a tool goes through here, so that none reaches what it must not. */
import type { WebSocket } from 'ws';

export interface OutboundPolicy {
  /** Loopback is open to tools of a server that itself listens on loopback only: a local MCP server just works. */
  allowLoopback: boolean;
  /** Host names, addresses and networks (`10.0.0.0/8`) that are allowed although they would be refused. */
  allow: string[];
  /** By host name the origin that requests to it go to instead; whatever that is may be reached. */
  hosts?: Record<string, string>;
}

export interface Outbound {
  /**
   * `fetch` for tools. Refuses addresses by where they lead, whatever they look like, with `address_not_allowed`;
   * follows at most five redirects, each checked anew and without credentials once the origin changes.
   */
  fetch: typeof fetch;
  /** The same for `ws` and `wss`: a WebSocket that is open. A message of more than `mostBytes` closes it. */
  webSocket(url: string, limits: WebSocketLimits): Promise<WebSocket>;
  /** Throws `address_not_allowed` about the field `target` when the URL is not one that tools may call. */
  check(url: string, target: string): Promise<void>;
}

export interface WebSocketLimits {
  mostBytes: number;
  /** Of opening it. */
  signal: AbortSignal;
}
