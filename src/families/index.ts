/** All resource families, wired: what each may ask of the others is handed over here. */
import type { Limits } from '../config.ts';
import type { Family } from '../kit/operation.ts';
import type { ModelGateway } from '../providers/models/gateway.ts';
import type { ModelLog } from '../providers/models/upstream.ts';
import type { Database, Migrations } from '../storage/database.ts';
import { agentDirectory, migrations as agentMigrations, agentsFamily } from './agents/index.ts';
import { chatCompletionsFamily } from './chat-completions/index.ts';
import {
  conversationLedger,
  migrations as conversationMigrations,
  conversationStore,
  conversationsFamily,
} from './conversations/index.ts';
import { deploymentsFamily } from './deployments/index.ts';
import { embeddingsFamily } from './embeddings/index.ts';
import { modelsFamily } from './models/index.ts';
import { notBuiltFamily } from './not-built/index.ts';
import {
  responseEngine,
  migrations as responseMigrations,
  responseStore,
  responsesFamily,
} from './responses/index.ts';

export const migrations: Migrations = {
  ...agentMigrations,
  ...conversationMigrations,
  ...responseMigrations,
};

export interface FamilyParts {
  database: Database;
  models: ModelGateway;
  limits: Pick<Limits, 'conversationLeaseSeconds' | 'contextItems'>;
  log: ModelLog;
}

export interface Families {
  families: Family[];
  /** Ends what an earlier process has left unfinished. To be called before the first request. */
  recover(): Promise<void>;
  /** Waits for work under way, up to a limit in milliseconds; then ends it visibly. */
  drain(milliseconds: number): Promise<void>;
}

export function createFamilies({ database, models, limits, log }: FamilyParts): Families {
  const agents = agentsFamily(database);
  const conversations = conversationStore(database);
  const responses = responseStore(database);
  const engine = responseEngine(responses, log);
  const served = [
    agents.family,
    conversationsFamily(conversations),
    responsesFamily({
      agents: agentDirectory(agents.store),
      models,
      conversations: conversationLedger(conversations, limits),
      responses,
      limits,
      engine,
    }),
    deploymentsFamily(models),
    modelsFamily(models),
    chatCompletionsFamily(models),
    embeddingsFamily(models),
  ];
  return {
    families: [...served, notBuiltFamily(served)],
    async recover() {
      await engine.recover();
      await conversations.releaseAll();
    },
    drain: (milliseconds) => engine.drain(milliseconds),
  };
}
