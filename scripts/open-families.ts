import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config.ts';
import { createFamilies, migrations, openProjects } from '../src/families/index.ts';
import { memoryFiles } from '../src/families/testing/memory-files.ts';
import { memoryIndex } from '../src/families/testing/memory-index.ts';
import { plainDocuments } from '../src/families/testing/plain-documents.ts';
import { scriptedGateway } from '../src/families/testing/scripted-model.ts';
import { ActiveFaults } from '../src/faults/active-faults.ts';
import type { Family } from '../src/kit/operation.ts';
import { openBlobs } from '../src/providers/blobs/open-blobs.ts';
import { ProjectScenarios } from '../src/providers/models/builtin/scenarios/project-scenarios.ts';
import { createOutbound } from '../src/providers/outbound/create-outbound.ts';
import { openDatabase } from '../src/storage/database.ts';
import { underPassphrase } from '../src/trust/passphrase.ts';
import { createSealer } from '../src/trust/sealing.ts';

export interface OpenFamilies {
  families: Family[];
  close(): Promise<void>;
}

/** The server's families on an empty database of their own, without any model. */
export async function openFamilies(): Promise<OpenFamilies> {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-contract-'));
  const { limits, codeInterpreter, blobs, vectorStores } = loadConfig({ file: null, environment: {} });
  const files = memoryFiles();
  const database = await openDatabase(directory, migrations);
  const { families, drain } = createFamilies({
    database,
    directory,
    models: scriptedGateway({}),
    limits,
    codeInterpreter: { ...codeInterpreter, directory: join(directory, 'containers') },
    blobs: {
      ...blobs,
      own: openBlobs(blobs, { directory: join(directory, 'blobs'), key: Buffer.alloc(64) }).own,
    },
    outbound: createOutbound({ allowLoopback: true, allow: [] }),
    vectorStores: {
      ...vectorStores,
      embeddings: null,
      directory: files.directory,
      documents: plainDocuments(files),
      index: memoryIndex(),
    },
    sealer: createSealer([Buffer.alloc(32)]),
    passphrases: underPassphrase,
    faults: new ActiveFaults(),
    scenarios: new ProjectScenarios(),
    projects: await openProjects(database, { configured: ['default'], createOnUse: false, most: 1000 }),
    log: { debug() {}, info() {}, warn() {} },
  });
  return {
    families,
    async close() {
      await drain(0);
      await database.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
