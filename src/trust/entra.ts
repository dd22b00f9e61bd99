/** Access tokens of Microsoft Entra ID, of one tenant. */
import { apiError } from '../errors.ts';
import type { Grant, Principal } from './principal.ts';
import { assignedGrants, type Holder, type RoleAssignment } from './role-assignments.ts';
import type { SigningKeys } from './signing-keys.ts';
import { invalidToken, tokenRefusal } from './token-refusal.ts';
import type { TokenSource } from './token-verifier.ts';

export interface EntraSettings {
  /** The id of the tenant. */
  tenant: string;
  audiences: readonly string[];
  /** `https://login.microsoftonline.com`, or that of another cloud; without a slash at the end. */
  authority: string;
  /** Where the signing keys are; null for where the metadata say. */
  jwksUri: string | null;
  clockSkewSeconds: number;
}

export interface EntraOptions extends EntraSettings {
  keys: SigningKeys;
  roleAssignments: readonly RoleAssignment[];
  warn(message: string): void;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
}

const algorithm = 'RS256';
const longestKeyId = 256;
/** As they stand in tokens of version 1.0: one for all clouds but China's. */
const olderIssuers = ['https://sts.windows.net', 'https://sts.chinacloudapi.cn'];

export const metadataUrl = ({ authority, tenant }: EntraSettings): string =>
  `${authority}/${tenant}/v2.0/.well-known/openid-configuration`;

export function entraTokens(options: EntraOptions): TokenSource {
  const {
    tenant,
    authority,
    audiences,
    keys,
    clockSkewSeconds,
    roleAssignments,
    warn,
    now = Date.now,
  } = options;
  const issuers = [`${authority}/${tenant}/v2.0`, ...olderIssuers.map((origin) => `${origin}/${tenant}/`)];
  const expected = { audiences, algorithm };

  return {
    knows: (issuer) => issuers.includes(issuer as string),
    async verify(token) {
      const { jwtVerify } = await import('./jwt.ts');
      let keyId = '';
      const keyOf = async ({ kid }: { kid?: string }) => {
        if (typeof kid !== 'string' || kid.length > longestKeyId) {
          throw invalidToken('The access token is malformed: its header has no usable `kid`.');
        }
        keyId = kid;
        const key = await keys.find(kid);
        if (key === undefined)
          throw invalidToken('The access token is signed with a key that its issuer does not have.');
        return key;
      };
      try {
        const { payload } = await jwtVerify(token, keyOf, {
          ...{ algorithms: [algorithm], issuer: issuers, audience: [...audiences] },
          ...{ requiredClaims: ['exp', 'iat', 'tid', 'oid'], clockTolerance: clockSkewSeconds },
          currentDate: new Date(now()),
        });
        if (payload.tid !== tenant) throw invalidToken('The access token is of another tenant.');
        const holder = holderOf(payload);
        const grants = assignedGrants(holder, roleAssignments);
        if (hidesGroups(payload)) refuseHiddenGroups(holder, grants, warn);
        const name = nameOf(payload) ?? holder.objectId;
        const principal: Principal = { kind: 'token', id: holder.objectId, name, grants };
        return { principal, expiresOn: Number(payload.exp), skewSeconds: clockSkewSeconds, keyId };
      } catch (error) {
        throw tokenRefusal(error, expected);
      }
    },
  };
}

type Claims = Record<string, unknown>;

/**
 * An app's own token says so, or at least acts for nobody; one that a user has signed in for has scopes. Anything else,
 * such as an ID token, is for the client that got it.
 */
function holderOf(claims: Claims): Holder {
  const client = textOf(claims.azp) ?? textOf(claims.appid);
  const isApp = claims.idtyp === 'app' || (claims.idtyp === undefined && claims.scp === undefined);
  if (isApp ? client === null : textOf(claims.scp) === null) {
    throw invalidToken(
      'The token is no access token: it has neither the scopes (`scp`) of a user nor the id (`azp`, `appid`) of an app.',
    );
  }
  return {
    kind: isApp ? 'app' : 'user',
    objectId: String(claims.oid).toLowerCase(),
    clientId: isApp ? (client?.toLowerCase() ?? null) : null,
    groups: [...textsOf(claims.groups), ...textsOf(claims.wids)].map((id) => id.toLowerCase()),
    appRoles: textsOf(claims.roles),
  };
}

/** Entra puts a reference in place of the groups of whoever is in more than 200. */
const hidesGroups = ({ _claim_names: names, hasgroups }: Claims): boolean =>
  hasgroups === true || (typeof names === 'object' && names !== null && 'groups' in names);

function refuseHiddenGroups(holder: Holder, grants: Grant[], warn: (message: string) => void): void {
  const who = `The token of ${holder.objectId} does not list its groups, since there are too many`;
  const remedy =
    "assign roles to the user or to an app role, or have the app's registration emit only the groups assigned to it";
  warn(`${who}: roles of groups are not given. To change that, ${remedy}.`);
  if (grants.length > 0) return;
  throw apiError('PermissionDenied', `${who}, and no role is given otherwise. An operator can ${remedy}.`, {
    target: 'Authorization',
  });
}

const nameOf = (claims: Claims): string | null =>
  textOf(claims.preferred_username) ??
  textOf(claims.upn) ??
  textOf(claims.unique_name) ??
  textOf(claims.app_displayname);

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
