import { getCACertificates } from 'node:tls';

/** This server itself: none of the usual roots vouches for its certificate. */
export interface OwnServer {
  /** Names and addresses besides those of loopback; patterns are none. */
  names: readonly string[];
  /** Null while it is not known. */
  port(): number | null;
  /** The certificate of its authority, PEM. */
  ca: string;
}

const loopback = ['localhost', '127.0.0.1', '::1'];

/** Whether a port of a host, without brackets, is this server's. Its authority is trusted there and nowhere else. */
export function isOwn({ names, port }: OwnServer): (host: string, url: URL) => boolean {
  const own = new Set([...loopback, ...names.map((name) => name.toLowerCase())]);
  return (host, url) => own.has(host) && Number(url.port || 443) === port();
}

/** A proxy that has the same name and port may have a certificate of its own. */
export const rootsWith = ({ ca }: OwnServer): string[] => [...getCACertificates('default'), ca];
