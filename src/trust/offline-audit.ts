import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { auditKeys } from './audit-keys.ts';
import { openAuditLog } from './audit-log.ts';

/**
 * A line for what a command has done in a data directory that no server runs on; whoever calls holds its lock. Such a
 * command puts no file away and drops none: how many are kept is for the server to know.
 */
export async function auditCommand(
  dataDirectory: string,
  command: string,
  warn: (message: string) => void = (message) => process.stderr.write(`${message}\n`),
): Promise<void> {
  if (!existsSync(dataDirectory)) return;
  const audit = await openAuditLog({
    keys: auditKeys(dataDirectory),
    ...{ dataDirectory, megabytes: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY },
    log: { warn: (_fields, message) => warn(message), info() {} },
  });
  const name = userName();
  audit.append({
    ...{ time: Date.now(), requestId: randomUUID(), clientRequestId: null },
    ...{ principal: { kind: 'command', id: `user_${process.getuid?.() ?? name}`, name }, project: null },
    ...{ operation: command, action: null, method: 'COMMAND', path: null, status: 200, address: null, ms: 0 },
  });
  await audit.close();
}

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
