import { createHash } from 'node:crypto';
import type { Outbound } from '../../outbound/outbound.ts';
import { toolFailure } from '../tool-failure.ts';
import { type Connection, type Opening, openConnection } from './connection.ts';
import type { McpEndpoint } from './endpoint.ts';

/** Sessions with MCP servers, kept warm between the responses that may share them. */
export interface SessionPool {
  /** A session for one response, begun unless there is one. Throws once the pool is closed. */
  take(owner: SessionOwner, endpoint: McpEndpoint): Lease;
  /** Ends all sessions, in use or not. */
  close(): Promise<void>;
}

/** Sessions are shared where all of this is the same, and the address and every header that is sent there. */
export interface SessionOwner {
  project: string;
  userIdentity: string | null;
  /** The connection that the address or the credentials come from. */
  connection: string | null;
}

export interface Lease {
  connection: Promise<Connection>;
  /** Whether it was begun by another response. */
  reused: boolean;
  /** Whether it is known to be of no more use. */
  readonly dead: boolean;
  /** Keeps others from taking it; those who have it go on. */
  retire(): void;
  /** Gives it back. */
  release(): void;
}

export interface SessionPoolOptions {
  /** How long a session is kept that nobody uses. */
  idleMilliseconds?: number;
  /** Sessions kept at once; beyond that the one goes that was used least lately, one that nobody uses first. */
  most?: number;
  /** Runs something later, unless what it returns is called before. */
  later?(milliseconds: number, run: () => void): () => void;
}

interface Entry extends Opening {
  users: number;
  kept: boolean;
  dead: boolean;
  stopWaiting(): void;
}

const endMilliseconds = 5000;
/** The server stops: whoever does not answer at once is not waited for. */
const stopMilliseconds = 1000;

export function sessionPool(
  outbound: Outbound,
  { idleMilliseconds = 60_000, most = 64, later = afterwards }: SessionPoolOptions = {},
): SessionPool {
  /** Least lately used first. */
  const kept = new Map<string, Entry>();
  const open = new Set<Entry>();
  let closed = false;

  const end = async (entry: Entry, milliseconds = endMilliseconds): Promise<void> => {
    await entry.connection.then((connection) => connection.end(milliseconds)).catch(() => {});
    open.delete(entry);
  };
  const retire = (key: string, entry: Entry): void => {
    if (!entry.kept) return;
    entry.kept = false;
    entry.stopWaiting();
    kept.delete(key);
    if (entry.users === 0) void end(entry);
  };
  const makeRoom = (): void => {
    if (kept.size < most) return;
    const [oldest] = kept;
    const idle = [...kept].find(([, { users }]) => users === 0) ?? oldest;
    if (idle !== undefined) retire(...idle);
  };
  const begin = (key: string, endpoint: McpEndpoint): Entry => {
    makeRoom();
    const opening = openConnection(outbound, endpoint, () => {
      entry.dead = true;
      retire(key, entry);
    });
    const entry: Entry = { ...opening, users: 0, kept: true, dead: false, stopWaiting() {} };
    opening.connection.catch(() => retire(key, entry));
    open.add(entry);
    return entry;
  };

  return {
    take(owner, endpoint) {
      if (closed) throw toolFailure('The server is stopping.');
      const key = keyOf(owner, endpoint);
      const known = kept.get(key);
      const entry = known ?? begin(key, endpoint);
      kept.delete(key);
      kept.set(key, entry);
      entry.stopWaiting();
      entry.users++;
      let released = false;
      return {
        connection: entry.connection,
        reused: known !== undefined,
        get dead() {
          return entry.dead;
        },
        retire: () => retire(key, entry),
        release() {
          if (released) return;
          released = true;
          if (--entry.users > 0) return;
          if (entry.kept) entry.stopWaiting = later(idleMilliseconds, () => retire(key, entry));
          else void end(entry);
        },
      };
    },
    async close() {
      closed = true;
      const all = [...open];
      for (const [key, entry] of [...kept]) {
        entry.kept = false;
        entry.stopWaiting();
        kept.delete(key);
      }
      const ends = Promise.all(all.map((entry) => end(entry, stopMilliseconds)));
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, stopMilliseconds);
      await Promise.race([ends, patience.promise]);
      clearTimeout(timer);
      for (const { abandon } of all) abandon();
    },
  };
}

/** A digest, since the headers are secret and may be long. */
const keyOf = (
  { project, userIdentity, connection }: SessionOwner,
  { url, headers }: McpEndpoint,
): string => {
  const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [project, userIdentity, connection, url.href, sorted];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
};

function afterwards(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds).unref();
  return () => clearTimeout(timer);
}
