import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { op } from '../../kit/operation.ts';
import { AnyObject, Maybe, Metadata, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { AgentCard, AgentDefinition, AgentEndpoint } from './definition.ts';

export const agentNamePattern = '^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$';

const AgentName = Type.String({
  pattern: agentNamePattern,
  description: 'Up to 63 letters, digits and hyphens; starts and ends with a letter or digit.',
});
const Description = Type.String({ maxLength: 512 });

export const AgentVersion = Type.Object({
  object: Type.Literal('agent.version'),
  id: Type.String({ description: '`{name}:{version}`' }),
  name: AgentName,
  version: Type.String({ description: '1, 2, 3 …; immutable' }),
  description: Type.Optional(Type.String()),
  created_at: UnixSeconds,
  metadata: Metadata,
  definition: AgentDefinition,
  draft: Type.Optional(Type.Boolean()),
  status: OneOf('creating', 'active', 'failed', 'deleting', 'deleted'),
});
export type AgentVersion = Static<typeof AgentVersion>;

export const Agent = Type.Object({
  object: Type.Literal('agent'),
  id: Type.String(),
  name: AgentName,
  state: OneOf('enabled', 'disabled'),
  versions: Type.Object({ latest: AgentVersion }),
  agent_endpoint: AgentEndpoint,
  agent_card: Type.Optional(AgentCard),
});
export type Agent = Static<typeof Agent>;

const versionFields = {
  definition: AgentDefinition,
  metadata: Maybe(Metadata),
  description: Maybe(Description),
  blueprint_reference: Maybe(AnyObject),
};

const CreateAgentVersion = Type.Object(
  {
    ...versionFields,
    digital_worker_type: Maybe(Type.String()),
    draft: Maybe(Type.Boolean()),
  },
  { title: 'CreateAgentVersion' },
);
export type CreateAgentVersion = Static<typeof CreateAgentVersion>;

const CreateAgent = Type.Object(
  {
    name: AgentName,
    ...CreateAgentVersion.properties,
    state: Maybe(OneOf('enabled', 'disabled')),
    agent_endpoint: Maybe(AgentEndpoint),
    agent_card: Maybe(AgentCard),
  },
  { title: 'CreateAgent' },
);

const byName = Type.Object({ agent_name: AgentName });
const byVersion = Type.Object({ agent_name: AgentName, agent_version: Type.String({ minLength: 1 }) });
const force = Type.Object({ force: Type.Optional(Type.Boolean()) });
const booleanQuery = Type.Optional(Type.Boolean());

export const operations = {
  list: op({
    method: 'GET',
    path: '/agents',
    summary: 'List agents',
    wire: 'foundry',
    query: Type.Object({
      ...cursorQuery,
      kind: Type.Optional(OneOf('prompt', 'hosted', 'workflow', 'external', 'voice')),
    }),
    result: CursorPage(Agent),
  }),
  create: op({
    method: 'POST',
    path: '/agents',
    summary: 'Create an agent, or a new version of it',
    wire: 'foundry',
    body: CreateAgent,
    result: Agent,
  }),
  get: op({
    method: 'GET',
    path: '/agents/{agent_name}',
    summary: 'Get an agent',
    wire: 'foundry',
    params: byName,
    result: Agent,
  }),
  update: op({
    method: 'POST',
    path: '/agents/{agent_name}',
    summary: 'Update an agent: a new version, if the definition changed',
    wire: 'foundry',
    params: byName,
    body: Type.Object(versionFields),
    result: Agent,
  }),
  patchAgentObject: op({
    method: 'PATCH',
    path: '/agents/{agent_name}',
    summary: "Change an agent's endpoint and card",
    wire: 'foundry',
    params: byName,
    body: Type.Object({
      agent_endpoint: Type.Optional(AnyObject),
      agent_card: Maybe(AnyObject),
    }),
    result: Agent,
  }),
  $delete: op({
    method: 'DELETE',
    path: '/agents/{agent_name}',
    summary: 'Delete an agent with all its versions',
    wire: 'foundry',
    params: byName,
    query: force,
    result: Type.Object({
      object: Type.Literal('agent.deleted'),
      name: Type.String(),
      deleted: Type.Boolean(),
    }),
  }),
  enable: op({
    method: 'POST',
    path: '/agents/{agent_name}:enable',
    summary: 'Enable an agent',
    wire: 'foundry',
    params: byName,
    status: 204,
  }),
  disable: op({
    method: 'POST',
    path: '/agents/{agent_name}:disable',
    summary: 'Disable an agent',
    wire: 'foundry',
    params: byName,
    status: 204,
  }),
  createVersion: op({
    method: 'POST',
    path: '/agents/{agent_name}/versions',
    summary: 'Create a version, and the agent if it is missing',
    wire: 'foundry',
    params: byName,
    body: CreateAgentVersion,
    result: AgentVersion,
  }),
  listVersions: op({
    method: 'GET',
    path: '/agents/{agent_name}/versions',
    summary: 'List the versions of an agent',
    wire: 'foundry',
    params: byName,
    query: Type.Object({ ...cursorQuery, include_drafts: booleanQuery }),
    result: CursorPage(AgentVersion),
  }),
  getVersion: op({
    method: 'GET',
    path: '/agents/{agent_name}/versions/{agent_version}',
    summary: 'Get a version of an agent',
    wire: 'foundry',
    params: byVersion,
    result: AgentVersion,
  }),
  deleteVersion: op({
    method: 'DELETE',
    path: '/agents/{agent_name}/versions/{agent_version}',
    summary: 'Delete a version of an agent; the last one takes the agent with it',
    wire: 'foundry',
    params: byVersion,
    query: force,
    result: Type.Object({
      object: Type.Literal('agent.version.deleted'),
      name: Type.String(),
      version: Type.String(),
      deleted: Type.Boolean(),
    }),
  }),
};
