/** Who may call a server: wires API keys, tokens of its own and tokens of a tenant. */
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Credentials } from './http/authentication.ts';
import { createOutbound } from './providers/outbound/create-outbound.ts';
import type { ApiKeys } from './trust/api-keys.ts';
import { type EntraSettings, entraTokens, metadataUrl } from './trust/entra.ts';
import { createSigningKeys } from './trust/signing-keys.ts';
import { createTokenVerifier } from './trust/token-verifier.ts';
import type { TokenIssuer } from './trust/tokens.ts';

export interface IdentityParts {
  keys: ApiKeys;
  tokens: TokenIssuer;
  /** Whether the server listens on loopback only. */
  isLocal: boolean;
  log: Logger;
}

/** Whether the configuration lets anybody sign in, besides holders of keys. */
export const hasIdentity = ({ identity }: Config): boolean =>
  identity.entra !== null || identity.local.length > 0;

export function credentialsOf(config: Config, { keys, tokens, isLocal, log }: IdentityParts): Credentials {
  const { entra, roleAssignments, rememberedTokens } = config.identity;
  const sources = entra === null ? [] : [tenantTokens(entra)];
  const verifier = createTokenVerifier([tokens, ...sources], { rememberedTokens });

  function tenantTokens(settings: EntraSettings) {
    // What the operator has named may be reached; where its metadata lead to is asked like any other address.
    const named = [settings.authority, settings.jwksUri].filter((url) => url !== null).map(hostOf);
    const { allow, hosts } = config.outbound;
    const outbound = createOutbound({ allowLoopback: isLocal, allow: [...allow, ...named], hosts });
    const signingKeys = createSigningKeys({
      metadataUrl: metadataUrl(settings),
      keysUrl: settings.jwksUri,
      fetch: outbound.fetch,
      onGone: (keyId) => verifier.forget(keyId),
      onFailure: (error) =>
        log.warn({ err: error }, 'the signing keys of Microsoft Entra ID could not be fetched'),
    });
    const warn = (message: string): void => log.warn(message);
    return entraTokens({ ...settings, keys: signingKeys, roleAssignments, warn });
  }

  return { verifyKey: keys.verify, keyRefusal: keys.refusal, verifyToken: verifier.verify };
}

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');
