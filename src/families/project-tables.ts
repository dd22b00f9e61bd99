import type { ProjectTable } from '../kit/project-part.ts';
import { projectTables as agents } from './agents/project-tables.ts';
import { projectTables as assets } from './assets/project-tables.ts';
import { projectTables as chatCompletions } from './chat-completions/project-tables.ts';
import { projectTables as connections } from './connections/project-tables.ts';
import { projectTables as containers } from './containers/project-tables.ts';
import { projectTables as conversations } from './conversations/project-tables.ts';
import { projectTables as files } from './files/project-tables.ts';
import { projectTables as responses } from './responses/project-tables.ts';
import { serverTables } from './server-tables.ts';
import { projectTables as uploads } from './uploads/project-tables.ts';
import { projectTables as vectorStores } from './vector-stores/project-tables.ts';

/** All tables with rows of projects. */
export const projectTables: readonly ProjectTable[] = [
  ...[agents, assets, chatCompletions, connections, containers, conversations, files, responses, uploads],
  vectorStores,
  serverTables,
].flat();
