import { acceptedAudiences, type TokenIssuer, type TokenScope } from './tokens.ts';

export interface OwnAddress {
  /** Names and addresses of this server besides those of loopback; patterns are none. */
  names: string[];
  /** Null while it is not known. */
  port(): number | null;
}

export interface OwnIdentity {
  /**
   * Null unless both the audience and the address are this server's own. It is good in one project, for what the roles
   * allow there: an agent may not do more than who talks to it.
   */
  token(audience: string, url: string, within: TokenScope): Promise<string | null>;
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Tokens for calls of this server to itself, by https, or within the machine. */
export function ownIdentity(issuer: TokenIssuer, address: OwnAddress): OwnIdentity {
  const names = new Set(address.names.map((name) => name.toLowerCase()));
  const isOwn = (text: string): boolean => {
    const { protocol, hostname, port } = new URL(text);
    const given = Number(port || (protocol === 'https:' ? 443 : 80));
    if (given !== address.port()) return false;
    return loopback.has(hostname) || (protocol === 'https:' && names.has(hostname.replace(/^\[|\]$/g, '')));
  };
  return {
    async token(audience, url, within) {
      if (!acceptedAudiences.includes(audience) || !isOwn(url)) return null;
      const { accessToken } = await issuer.issue({
        audience,
        subject: 'agent',
        within,
        lifetimeSeconds: 300,
      });
      return accessToken;
    },
  };
}
