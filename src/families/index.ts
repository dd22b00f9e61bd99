/** All resource families, wired: what each may ask of the others is handed over here. */
import { join } from 'node:path';
import type { BlobsConfig, Limits } from '../config.ts';
import type { Family } from '../kit/operation.ts';
import type { Blobs } from '../providers/blobs/blobs.ts';
import { storageAccounts } from '../providers/blobs/storage-accounts.ts';
import type { Documents } from '../providers/documents/documents.ts';
import type { ModelGateway } from '../providers/models/gateway.ts';
import type { ModelLog } from '../providers/models/upstream.ts';
import type { Outbound } from '../providers/outbound/outbound.ts';
import type { TraceSink } from '../providers/telemetry/sink.ts';
import { codeInterpreterTool } from '../providers/tools/code-interpreter/code-interpreter.ts';
import { fileSearchTool } from '../providers/tools/file-search/file-search-tool.ts';
import type { ServerTool } from '../providers/tools/tool.ts';
import type { Database, Migrations } from '../storage/database.ts';
import { keptAnswerMigrations } from '../storage/kept-answers.ts';
import type { ApiKeys } from '../trust/api-keys.ts';
import type { Roles } from '../trust/roles.ts';
import type { Sealer } from '../trust/sealing.ts';
import { agentDirectory, migrations as agentMigrations, agentsFamily } from './agents/index.ts';
import { apiKeysFamily } from './api-keys/index.ts';
import { assetFamilies, migrations as assetMigrations } from './assets/index.ts';
import { audioFamily } from './audio/index.ts';
import {
  migrations as chatCompletionMigrations,
  chatCompletionStore,
  chatCompletionsFamily,
  chatParts,
} from './chat-completions/index.ts';
import { completionsFamily } from './completions/index.ts';
import {
  type ConnectionDirectory,
  connectionDirectory,
  migrations as connectionMigrations,
  connectionsFamily,
} from './connections/index.ts';
import {
  type ContainerOptions,
  migrations as containerMigrations,
  containersFamily,
} from './containers/index.ts';
import {
  conversationLedger,
  migrations as conversationMigrations,
  conversationStore,
  conversationsFamily,
} from './conversations/index.ts';
import { deploymentsFamily } from './deployments/index.ts';
import { embeddingsFamily } from './embeddings/index.ts';
import { migrations as fileMigrations, filesFamily, modelFiles } from './files/index.ts';
import { imagesFamily } from './images/index.ts';
import { modelsFamily } from './models/index.ts';
import { moderationsFamily } from './moderations/index.ts';
import { notBuiltFamily } from './not-built/index.ts';
import {
  keepLogsFor,
  replan,
  responseEngine,
  migrations as responseMigrations,
  responseStore,
  responsesFamily,
  toolRegistry,
} from './responses/index.ts';
import { migrations as uploadMigrations, uploadsFamily } from './uploads/index.ts';
import {
  type VectorStoreParts,
  migrations as vectorStoreMigrations,
  vectorStoresFamily,
} from './vector-stores/index.ts';

export { connectionDirectory } from './connections/index.ts';
export { responseStore } from './responses/index.ts';

export const migrations: Migrations = {
  ...agentMigrations,
  ...conversationMigrations,
  ...responseMigrations,
  ...chatCompletionMigrations,
  ...connectionMigrations,
  ...containerMigrations,
  ...assetMigrations,
  ...vectorStoreMigrations,
  ...fileMigrations,
  ...uploadMigrations,
  ...keptAnswerMigrations,
};

export interface FamilyParts {
  database: Database;
  /** Where families keep what is too large for the database, each in a folder of its own. */
  directory: string;
  models: ModelGateway;
  limits: Pick<
    Limits,
    | 'conversationLeaseSeconds'
    | 'conversationWaitSeconds'
    | 'contextItems'
    | 'backgroundConcurrency'
    | 'backgroundQueue'
    | 'eventLogDays'
    | 'fileBytes'
    | 'uploadBytes'
    | 'uploadPartBytes'
    | 'inputFileBytes'
    | 'inputFetchSeconds'
  >;
  /** Tools that run on the server, besides the code interpreter. */
  tools?: ServerTool[];
  /** Where and how code is run. */
  codeInterpreter: ContainerOptions;
  /** Where the content of datasets and registered models lies. */
  blobs: Pick<BlobsConfig, 'sasMinutes' | 'abandonedHours'> & { own: Blobs };
  outbound: Outbound;
  /** What files are kept and searched with. Without it there are no vector stores. */
  vectorStores?: (Omit<VectorStoreParts, 'directory'> & Partial<VectorStoreParts>) | undefined;
  /** Those that are stored, unless given. */
  connections?: ConnectionDirectory;
  sealer: Sealer;
  /** Those that the server is called with; without them none are administered here. */
  apiKeys?: { keys: ApiKeys; roles: Roles };
  /** Reads the text of documents; without it models are given only what they take themselves. */
  documents?: Documents | null;
  log: ModelLog;
  /** Is told of every response that has ended. */
  traces?: TraceSink | null;
}

export interface Families {
  families: Family[];
  /** Takes up, or ends, what an earlier process has left unfinished. To be called before the first request. */
  recover(): Promise<void>;
  /** Waits for work under way, up to a limit in milliseconds; then ends it visibly. */
  drain(milliseconds: number): Promise<void>;
}

export function createFamilies(parts: FamilyParts): Families {
  const { database, models, limits, tools = [], sealer, log, traces = null } = parts;
  const conversations = conversationStore(database);
  const responses = responseStore(database);
  const engine = responseEngine(responses, limits, log, traces);
  const files = filesFamily(database, { directory: join(parts.directory, 'files'), limits }, log);
  const uploads = uploadsFamily(
    database,
    files.files,
    { directory: join(parts.directory, 'uploads'), limits },
    log,
  );
  const reading = modelFiles({
    files: files.files,
    outbound: parts.outbound,
    documents: parts.documents ?? null,
    limits,
  });
  const containers = containersFamily(database, files.files, parts.codeInterpreter, log);
  const vectorStores =
    parts.vectorStores &&
    vectorStoresFamily(database, models, { directory: files.files, ...parts.vectorStores }, log);
  const registry = toolRegistry([
    ...tools,
    codeInterpreterTool(containers.containers, parts.codeInterpreter.timeoutSeconds),
    ...(vectorStores ? [fileSearchTool(vectorStores.searched)] : []),
  ]);
  const agents = agentsFamily(database, registry.check);
  const connections = parts.connections ?? connectionDirectory([], database, sealer);
  const { own, sasMinutes, abandonedHours } = parts.blobs;
  const accounts = storageAccounts({
    own,
    connections: connections.tools,
    outbound: parts.outbound,
    sasMinutes,
  });
  const assets = assetFamilies(database, {
    accounts,
    connections: connections.tools,
    abandonedSeconds: abandonedHours * 3600,
    log,
  });
  const sources = {
    agents: agentDirectory(agents.store),
    models,
    tools: registry,
    sealer,
    modelFiles: reading,
    conversations: conversationLedger(conversations, limits),
    responses,
    limits,
  };
  let stopRetention = () => {};
  const served = [
    agents.family,
    conversationsFamily(conversations, sources.agents),
    { ...responsesFamily({ ...sources, engine }), messages: { 'response.create': 'create' } },
    deploymentsFamily(models),
    connectionsFamily(connections),
    modelsFamily(models),
    chatCompletionsFamily(models, chatCompletionStore(database), reading),
    completionsFamily(models, chatParts),
    embeddingsFamily(models),
    moderationsFamily(models),
    imagesFamily(models),
    audioFamily(models),
    containers.family,
    ...assets.families,
    ...(vectorStores ? [vectorStores.family] : []),
    files.family,
    uploads.family,
    ...(parts.apiKeys ? [apiKeysFamily(parts.apiKeys.keys, parts.apiKeys.roles)] : []),
  ];
  return {
    families: [...served, notBuiltFamily(served)],
    async recover() {
      await conversations.releaseAll();
      await Promise.all([containers.start(), files.start(), uploads.start()]);
      assets.start();
      await vectorStores?.start();
      await engine.recover((unfinished) => replan(sources, unfinished));
      stopRetention = keepLogsFor(limits.eventLogDays, responses, log);
    },
    async drain(milliseconds) {
      stopRetention();
      await engine.drain(milliseconds);
      await Promise.all([
        containers.close(),
        assets.close(),
        vectorStores?.close(),
        files.close(),
        uploads.close(),
        ...tools.map((tool) => tool.close?.()),
      ]);
    },
  };
}
