import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DataDirectoryInUseError, type DataLock, lockDataDirectory } from '../storage/data-lock.ts';
import type { LocalIdentity } from '../trust/local-identities.ts';
import { auditCommand } from '../trust/offline-audit.ts';
import { longestLifeSeconds } from '../trust/token-keys.ts';
import { acceptedAudiences, createTokenIssuer } from '../trust/tokens.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { configurationFile, loadConfiguration } from './configuration.ts';
import { seconds } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

/** Signed with the key of the data directory: whoever can read that needs to ask nobody. */
export async function token({ values }: Arguments<'token'>): Promise<number> {
  const { user, app, audience, lifetime, json } = values;
  if (user !== null && app !== null) throw wrong('Give --user or --app, not both.');
  const lifetimeSeconds = seconds(lifetime);
  if (lifetimeSeconds === null || lifetimeSeconds < 1 || lifetimeSeconds > longestLifeSeconds) {
    throw wrong(`--lifetime must be a time such as 90s, 15m or 1h, up to 24h, not '${lifetime}'.`);
  }
  if (!acceptedAudiences.includes(audience)) {
    process.stderr.write(
      `No server accepts tokens for '${audience}'; they do for ${acceptedAudiences.join(', ')}.\n`,
    );
  }
  const directory = resolve(values.data);
  if (!existsSync(directory)) {
    throw new CommandError(
      exitCodes.failure,
      `There is no data directory ${directory}. Name that of the server with --data.`,
    );
  }
  const identity = identityOf(values.config, user, app);
  const issuer = await createTokenIssuer({ directory });
  const { accessToken, expiresOn } = await issuer.issue({
    ...{ audience, lifetimeSeconds },
    ...(identity === null ? {} : { identity }),
  });
  await auditToken(directory, identity);
  const expiresAt = new Date(expiresOn * 1000).toISOString();
  process.stdout.write(json ? `${JSON.stringify({ accessToken, expiresAt })}\n` : `${accessToken}\n`);
  return exitCodes.ok;
}

/** A server that runs writes the log, and nobody beside it. */
async function auditToken(directory: string, identity: LocalIdentity | null): Promise<void> {
  let lock: DataLock;
  try {
    lock = lockDataDirectory(directory);
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) return;
    throw error;
  }
  try {
    const whose = identity === null ? 'of the owner' : `of ${identity.kind} ${identity.name}`;
    await auditCommand(directory, `token ${whose}`);
  } finally {
    lock.release();
  }
}

const wrong = (message: string): UsageError => new UsageError(message, 'token');

/** Null where neither is asked for: the token is then that of whoever owns the data directory. */
function identityOf(config: string | null, user: string | null, app: string | null): LocalIdentity | null {
  const [kind, name] = user !== null ? (['user', user] as const) : (['app', app] as const);
  if (name === null) return null;
  const { local } = loadConfiguration(configurationFile(config), null).identity;
  const known = local.filter((identity) => identity.kind === kind);
  const found = known.find((identity) => identity.name === name);
  if (found !== undefined) return found;
  const names = known.length === 0 ? 'It has none.' : `It has ${known.map((one) => one.name).join(', ')}.`;
  throw new CommandError(
    exitCodes.failure,
    `The configuration has no ${kind} '${name}' (\`identity.${kind}s\`). ${names}`,
  );
}
