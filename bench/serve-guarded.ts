/**
 * `node serve-guarded.ts DATA guarded|open [REQUESTS]`: the families behind the conventions; `guarded` with keys that
 * are verified, roles that are asked for, every layer of limits and an audit log of all requests, `open` with none of it. The key may make REQUESTS a minute, or more than anybody does.
 */
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { createFamilies, migrations, openProjects } from '../src/families/index.ts';
import { watchDisk } from '../src/http/disk-space.ts';
import { openBlobs } from '../src/providers/blobs/open-blobs.ts';
import { createModelGateway } from '../src/providers/models/gateway.ts';
import { createOutbound } from '../src/providers/outbound/create-outbound.ts';
import { openDatabase } from '../src/storage/database.ts';
import { auditKeyOf } from '../src/trust/audit-chain.ts';
import { openAuditLog } from '../src/trust/audit-log.ts';
import { ensureCredentials } from '../src/trust/credentials.ts';
import { underPassphrase } from '../src/trust/passphrase.ts';
import { everything } from '../src/trust/principal.ts';
import { createSealer } from '../src/trust/sealing.ts';

const [directory = '', mode, requests] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const isGuarded = mode === 'guarded';
const plenty = 1_000_000_000;
const config = loadConfig({ file: null, environment: {} });
const log = pino({ level: 'silent' });
const database = await openDatabase(directory, migrations);
const blobs = openBlobs(config.blobs, { directory: join(directory, 'blobs'), key: Buffer.alloc(64, 7) });
const { families } = createFamilies({
  database,
  directory,
  models: await createModelGateway({ config: { ...config, discovery: false }, environment: {}, log }),
  limits: config.limits,
  codeInterpreter: { ...config.codeInterpreter, directory: join(directory, 'containers') },
  blobs: { ...config.blobs, own: blobs.own },
  outbound: createOutbound({ allowLoopback: true, allow: [] }),
  sealer: createSealer([Buffer.alloc(32, 7)]),
  passphrases: underPassphrase,
  projects: await openProjects(database, { configured: ['default'], createOnUse: false, most: 1 }),
  log,
});
const { keys } = ensureCredentials(directory);
const { key: apiKey } = keys.create({
  name: 'bench',
  grants: [{ role: 'Azure AI User', project: 'default' }],
  lifetimeSeconds: null,
});
const audit = isGuarded
  ? await openAuditLog({
      ...{ dataDirectory: directory, keys: [auditKeyOf(Buffer.alloc(32, 7))] },
      ...config.audit,
      log,
    })
  : null;
const anybody = { kind: 'key' as const, id: 'anybody', name: 'anybody', grants: everything };
const callers = { requestsPerMinute: plenty, tokensPerMinute: null, concurrency: 100_000 };
const app = await createApp({
  config: {
    ...config,
    limits: { ...config.limits, concurrentRequests: 5000, projectSharePercent: 100 },
    rateLimits: isGuarded
      ? {
          ...config.rateLimits,
          regionRequestsPerMinute: plenty,
          project: callers,
          key: { ...callers, requestsPerMinute: Number(requests ?? plenty) },
        }
      : config.rateLimits,
  },
  credentials: {
    verifyKey: isGuarded ? keys.verify : () => anybody,
    verifyToken: () => anybody,
  },
  ...(isGuarded ? {} : { authorization: { allows: () => true, require() {} } }),
  audit: audit && { ...audit, reads: true },
  families,
  log,
  installPublicRoutes() {},
  disk: isGuarded ? watchDisk(directory, config.limits.diskFreeBytes) : null,
});
await app.listen({ port: 0, host: '127.0.0.1', backlog: 2048 });
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ port: (app.server.address() as AddressInfo).port, apiKey })}\n`);
