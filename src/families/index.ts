/** All resource families, wired: what each may ask of the others is handed over here. */
import { join } from 'node:path';
import type { BlobsConfig, Limits } from '../config.ts';
import type { ActiveFaults } from '../faults/active-faults.ts';
import { countedRoom, mostUsed } from '../kit/budget.ts';
import type { Family } from '../kit/operation.ts';
import type { Blobs } from '../providers/blobs/blobs.ts';
import { storageAccounts } from '../providers/blobs/storage-accounts.ts';
import type { Documents } from '../providers/documents/documents.ts';
import type { ProjectScenarios } from '../providers/models/builtin/scenarios/project-scenarios.ts';
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
import type { PassphraseKeys } from '../trust/passphrase.ts';
import type { Roles } from '../trust/roles.ts';
import type { Sealer } from '../trust/sealing.ts';
import { agentBudgets, agentDirectory, migrations as agentMigrations, agentsFamily } from './agents/index.ts';
import { apiKeysFamily } from './api-keys/index.ts';
import { assetBudget, assetFamilies, migrations as assetMigrations } from './assets/index.ts';
import { audioFamily } from './audio/index.ts';
import {
  migrations as chatCompletionMigrations,
  chatCompletionStore,
  chatCompletionsFamily,
  projectTables as chatCompletionTables,
  chatParts,
  completionBudget,
} from './chat-completions/index.ts';
import { completionsFamily } from './completions/index.ts';
import {
  type ConnectionDirectory,
  archivePart as connectionArchive,
  connectionBudget,
  connectionDirectory,
  migrations as connectionMigrations,
  connectionsFamily,
  projectTables as connectionTables,
} from './connections/index.ts';
import {
  type ContainerOptions,
  containerBudget,
  migrations as containerMigrations,
  containersFamily,
} from './containers/index.ts';
import {
  conversationBudget,
  conversationItemBudget,
  conversationLedger,
  migrations as conversationMigrations,
  conversationStore,
  conversationsFamily,
  projectTables as conversationTables,
} from './conversations/index.ts';
import { deploymentsFamily } from './deployments/index.ts';
import { embeddingsFamily } from './embeddings/index.ts';
import { faultPlansFamily } from './fault-plans/index.ts';
import { fileBudgets, migrations as fileMigrations, filesFamily, modelFiles } from './files/index.ts';
import { imagesFamily } from './images/index.ts';
import { modelsFamily } from './models/index.ts';
import { moderationsFamily } from './moderations/index.ts';
import { notBuiltFamily } from './not-built/index.ts';
import {
  interrupted,
  type ProjectDirectory,
  migrations as projectMigrations,
  projectsFamily,
} from './projects/index.ts';
import {
  keepLogsFor,
  replan,
  requireFiles,
  responseBudget,
  responseEngine,
  migrations as responseMigrations,
  responseStore,
  responsesFamily,
  projectTables as responseTables,
  toolRegistry,
} from './responses/index.ts';
import { scenariosFamily } from './scenarios/index.ts';
import { serverTables } from './server-tables.ts';
import { uploadBudget, migrations as uploadMigrations, uploadsFamily } from './uploads/index.ts';
import {
  type VectorStoreParts,
  vectorStoreBudget,
  migrations as vectorStoreMigrations,
  vectorStoresFamily,
  projectTables as vectorStoreTables,
} from './vector-stores/index.ts';

export { resealAgents } from './agents/index.ts';
export { connectionBudget, connectionDirectory } from './connections/index.ts';
export { openProjects, projectSealer, storedProjectSealer } from './projects/index.ts';
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
  ...projectMigrations,
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
    | 'agents'
    | 'agentVersions'
    | 'projectFiles'
    | 'projectFilesBytes'
    | 'uploads'
    | 'projectVectorStores'
    | 'assets'
    | 'projectConnections'
    | 'conversationItems'
    | 'conversations'
    | 'storedResponses'
    | 'storedCompletions'
    | 'containers'
  >;
  /** Tools that run on the server, besides the code interpreter. */
  tools?: ServerTool[];
  /** Where and how code is run. */
  codeInterpreter: ContainerOptions;
  /** Where the content of datasets and registered models lies. */
  blobs: Pick<BlobsConfig, 'sasMinutes' | 'abandonedHours'> & { own: Blobs };
  outbound: Outbound;
  /** What files are kept and searched with. Without it there are no vector stores. */
  vectorStores?: (Omit<VectorStoreParts, 'directory' | 'budget'> & Partial<VectorStoreParts>) | undefined;
  /** Those that are stored, unless given. */
  connections?: ConnectionDirectory;
  /** Seals by project: see `projectSealer`. */
  sealer: Sealer;
  /** What secrets are sealed with that leave the server in an archive. */
  passphrases: PassphraseKeys;
  /** Those that the server is called with; without them none are administered here. */
  apiKeys?: { keys: ApiKeys; roles: Roles };
  /** The fault plans that requests meet; without them none are administered here. */
  faults?: ActiveFaults;
  /** What the builtin model is to reply in single projects; without it that is not administered here. */
  scenarios?: ProjectScenarios;
  projects: ProjectDirectory;
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
  /** Every budget, and what whoever has most of it has. */
  budgets(): Promise<{ name: string; most: number; used: number }[]>;
  /** Background responses that run and that wait. */
  background(): { running: number; waiting: number };
}

export function createFamilies(parts: FamilyParts): Families {
  const { database, models, limits, tools = [], sealer, log, traces = null } = parts;
  const budgets = {
    ...agentBudgets(limits),
    ...fileBudgets(limits),
    uploads: uploadBudget(limits),
    vectorStores: vectorStoreBudget(limits),
    assets: assetBudget(limits),
    connections: connectionBudget(limits),
    conversationItems: conversationItemBudget(limits),
    conversations: conversationBudget(limits),
    responses: responseBudget(limits),
    completions: completionBudget(limits),
    containers: containerBudget(limits),
  };
  const conversations = conversationStore(database, budgets);
  const responses = responseStore(database, countedRoom(budgets.responses));
  const engine = responseEngine(responses, limits, log, traces);
  const files = filesFamily(database, { directory: join(parts.directory, 'files'), limits, budgets }, log);
  const uploads = uploadsFamily(
    database,
    files.files,
    { directory: join(parts.directory, 'uploads'), limits, budget: budgets.uploads },
    log,
  );
  const reading = modelFiles({
    files: files.files,
    outbound: parts.outbound,
    documents: parts.documents ?? null,
    limits,
  });
  const containers = containersFamily(
    database,
    files.files,
    { ...parts.codeInterpreter, budget: budgets.containers },
    log,
  );
  const vectorStores =
    parts.vectorStores &&
    vectorStoresFamily(
      database,
      models,
      { directory: files.files, budget: budgets.vectorStores, ...parts.vectorStores },
      log,
    );
  const registry = toolRegistry([
    ...tools,
    codeInterpreterTool(containers.containers, parts.codeInterpreter.timeoutSeconds),
    ...(vectorStores ? [fileSearchTool(vectorStores.searched)] : []),
  ]);
  const agents = agentsFamily(database, sealer, budgets, registry.check);
  const connections = parts.connections ?? connectionDirectory([], database, sealer, budgets.connections);
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
    vectorStores: vectorStores?.searched ?? null,
    abandonedSeconds: abandonedHours * 3600,
    budget: budgets.assets,
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
  const projects = projectsFamily({
    database,
    directory: parts.projects,
    folder: join(parts.directory, 'imports'),
    limits,
    sealer,
    passphrases: parts.passphrases,
    parts: [
      agents.project,
      { tables: conversationTables },
      { tables: serverTables },
      { tables: responseTables, end: (project) => engine.endAll(project, interrupted(project)) },
      { tables: chatCompletionTables },
      { tables: connectionTables, archive: connectionArchive },
      containers.project,
      assets.project,
      // Before the vector stores, which take files in while an archive is still being read.
      files.project,
      ...(vectorStores ? [vectorStores.project] : [{ tables: vectorStoreTables }]),
      uploads.project,
    ],
    onDelete(project) {
      parts.apiKeys?.keys.withdraw(project);
      parts.scenarios?.forget(project);
    },
    log,
  });
  let stopRetention = () => {};
  const served = [
    agents.family,
    conversationsFamily(conversations, sources.agents, requireFiles),
    { ...responsesFamily({ ...sources, engine }), messages: { 'response.create': 'create' } },
    deploymentsFamily(models),
    connectionsFamily(connections),
    modelsFamily(models),
    chatCompletionsFamily(models, chatCompletionStore(database, countedRoom(budgets.completions)), reading),
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
    ...(parts.apiKeys ? [apiKeysFamily({ ...parts.apiKeys, projects: parts.projects })] : []),
    ...(parts.faults ? [faultPlansFamily(parts.faults)] : []),
    ...(parts.scenarios ? [scenariosFamily(parts.scenarios, parts.projects)] : []),
    projects.family,
  ];
  const families = [...served, notBuiltFamily(served)];
  parts.faults?.serve(families.flatMap(({ operations }) => Object.values(operations)));
  return {
    families,
    async recover() {
      await projects.start();
      await conversations.releaseAll();
      await Promise.all([containers.start(), files.start(), uploads.start()]);
      assets.start();
      await vectorStores?.start();
      await engine.recover((unfinished) => replan(sources, unfinished));
      stopRetention = keepLogsFor(limits.eventLogDays, responses, log);
    },
    budgets: () =>
      Promise.all(
        Object.values(budgets).map(async (budget) => ({
          name: budget.name,
          most: budget.most,
          used: await mostUsed(budget, database),
        })),
      ),
    background: engine.load,
    async drain(milliseconds) {
      stopRetention();
      await engine.drain(milliseconds);
      await projects.close();
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
