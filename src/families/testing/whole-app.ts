import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CodeInterpreterConfig, type Limits, loadConfig } from '../../config.ts';
import { ActiveFaults } from '../../faults/active-faults.ts';
import { installBlobRoutes } from '../../http/blob-routes.ts';
import { watchDisk } from '../../http/disk-space.ts';
import { openBlobs } from '../../providers/blobs/open-blobs.ts';
import type { Documents } from '../../providers/documents/documents.ts';
import { ProjectScenarios } from '../../providers/models/builtin/scenarios/project-scenarios.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import { createOutbound } from '../../providers/outbound/create-outbound.ts';
import type { ServerTool } from '../../providers/tools/tool.ts';
import { openDatabase } from '../../storage/database.ts';
import { keptAnswerStore } from '../../storage/kept-answers.ts';
import type { ApiKeys } from '../../trust/api-keys.ts';
import { underPassphrase } from '../../trust/passphrase.ts';
import { createRoles } from '../../trust/roles.ts';
import { createSealer } from '../../trust/sealing.ts';
import {
  createFamilies,
  type Families,
  type FamilyParts,
  migrations,
  openProjects,
  projectSealer,
} from '../index.ts';
import { scriptedGateway } from './scripted-model.ts';
import { type TestApp, testAppWith } from './test-app.ts';

export interface WholeApp extends TestApp, Pick<Families, 'drain' | 'families'> {
  /** Ends it and leaves its directory. */
  stop(): Promise<void>;
  /** Another server on the same data, as after a crash of this one, with the same models unless given. */
  restart(models?: Record<string, ModelProvider>): Promise<WholeApp>;
}

export interface WholeAppOptions {
  tools?: ServerTool[];
  limits?: Partial<Limits>;
  codeInterpreter?: Partial<CodeInterpreterConfig>;
  vectorStores?: FamilyParts['vectorStores'];
  directory?: string;
  documents?: Documents;
  /** Whether projects are made by their first use. */
  createProjectsOnUse?: boolean;
  /** Keys besides the one that may do everything. */
  apiKeys?: ApiKeys;
  sealingKey?: Buffer;
  /** Those that the builtin model goes by, where it is one of the models. */
  scenarios?: ProjectScenarios;
}

/** All families on a database of their own, with the given models by deployment name. */
export async function wholeApp(
  models: Record<string, ModelProvider>,
  {
    tools = [],
    limits: changed = {},
    codeInterpreter: bounds = {},
    vectorStores,
    directory = mkdtempSync(join(tmpdir(), 'bloomery-test-')),
    documents,
    createProjectsOnUse = false,
    apiKeys,
    sealingKey = Buffer.alloc(32, 7),
    scenarios = new ProjectScenarios(),
  }: WholeAppOptions = {},
): Promise<WholeApp> {
  const { limits, codeInterpreter, blobs: blobSettings } = loadConfig({ file: null, environment: {} });
  const database = await openDatabase(directory, migrations);
  const projects = await openProjects(database, {
    configured: ['default'],
    createOnUse: createProjectsOnUse,
    most: changed.projects ?? limits.projects,
  });
  const blobs = openBlobs(blobSettings, { directory: join(directory, 'blobs'), key: Buffer.alloc(64, 7) });
  const faults = new ActiveFaults();
  const log = { debug() {}, info() {}, warn() {} };
  const sealer = projectSealer(createSealer([sealingKey]), projects.sealsOf);
  const { families, recover, drain } = createFamilies({
    database,
    directory,
    models: scriptedGateway(models),
    limits: { ...limits, contextItems: 50, ...changed },
    tools,
    codeInterpreter: { ...codeInterpreter, directory: join(directory, 'containers'), ...bounds },
    blobs: { ...blobSettings, own: blobs.own },
    outbound: createOutbound({ allowLoopback: true, allow: [] }),
    vectorStores,
    documents: documents ?? null,
    sealer,
    passphrases: underPassphrase,
    ...(apiKeys === undefined ? {} : { apiKeys: { keys: apiKeys, roles: createRoles() } }),
    projects,
    faults,
    scenarios,
    log,
  });
  await recover();
  const answers = keptAnswerStore(database, { sealer, seconds: 3600, most: 100 });
  await answers.start();
  const app = await testAppWith(families, {
    limits: changed,
    ...(apiKeys === undefined ? {} : { apiKeys }),
    projects,
    faults,
    repeats: { answers, secret: Buffer.alloc(32, 8) },
    installPublicRoutes(to) {
      if (blobs.served === null) return;
      installBlobRoutes(to, { ...blobs.served, most: 500, refused() {}, disk: watchDisk(directory, 0) });
    },
  });
  const stop = async (): Promise<void> => {
    await drain(0);
    await app.close();
    await blobs.own.close();
    await database.destroy();
  };
  return {
    ...app,
    families,
    drain,
    restart: (others) =>
      wholeApp(others ?? models, {
        tools,
        limits: changed,
        codeInterpreter: bounds,
        vectorStores,
        directory,
        createProjectsOnUse,
        sealingKey,
      }),
    stop,
    async close() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
