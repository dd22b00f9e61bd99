import { isDeepStrictEqual } from 'node:util';
import { invalidPayload, notFound, unsupportedParameter } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { cursorPage } from '../../kit/cursor-page.ts';
import { mergePatch } from '../../kit/merge-patch.ts';
import { type Handlers, JsonText } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import { assertJsonSchema, fieldValidator } from '../../kit/validation.ts';
import type { Agent, AgentVersion, CreateAgentVersion, operations } from './contract.ts';
import { AgentCard, AgentEndpoint, kindGates, type PromptDefinition } from './definition.ts';
import type { RememberedAgents } from './remembered.ts';
import type { AgentSettings, NewVersion } from './store.ts';

const validEndpoint = fieldValidator(AgentEndpoint);
const validCard = fieldValidator(AgentCard);

/** Throws about the definition of a tool that the server knows and that is not as it should be. */
export type CheckTool = (tool: Record<string, unknown> & { type: string }, target: string) => void;

export function agentsService(store: RememberedAgents, checkTool: CheckTool): Handlers<typeof operations> {
  const agent = async (ctx: Context, name: string) => {
    const found = await store.find(ctx.project, name);
    if (found === undefined) throw notFound('agent', name, 'agent_name');
    return found;
  };
  const version = async (ctx: Context, name: string, wanted: string) => {
    const number = wanted === '@latest' || wanted === 'latest' ? null : versionNumber(wanted);
    const found =
      number === null
        ? (await store.find(ctx.project, name))?.versions.latest
        : number !== undefined && (await store.findVersion(ctx.project, name, number));
    if (!found) throw notFound('agent version', `${name}:${wanted}`, 'agent_version');
    return found;
  };
  const setState = async (ctx: Context, name: string, state: 'enabled' | 'disabled') => {
    if (!(await store.set(ctx.project, name, { state }))) throw notFound('agent', name, 'agent_name');
    return undefined;
  };

  return {
    async get(ctx, { params: { agent_name: name } }) {
      const found = await store.findRemembered(ctx.project, name);
      if (found === undefined) throw notFound('agent', name, 'agent_name');
      return new JsonText(found.json);
    },

    list: (ctx, { query }) =>
      cursorPage(
        query,
        {
          position: (name) => store.position(ctx.project, name),
          rows: (window) => store.list(ctx.project, query.kind, window),
        },
        (found) => found,
        (found) => found.name,
      ),

    async create(ctx, { body }) {
      const { name, state, agent_endpoint, agent_card } = body;
      const settings: AgentSettings = {
        state: state ?? undefined,
        agent_endpoint: agent_endpoint ?? undefined,
        agent_card: agent_card ?? undefined,
      };
      if (agent_endpoint) checkRouting(agent_endpoint);
      return (await store.addVersion(ctx.project, name, newVersion(ctx, checkTool, body), settings)).agent;
    },

    async update(ctx, { params, body }) {
      await agent(ctx, params.agent_name);
      const next = newVersion(ctx, checkTool, body);
      const unchanged = (latest: AgentVersion) => isDeepStrictEqual(latest.definition, next.definition);
      return (await store.addVersion(ctx.project, params.agent_name, next, {}, unchanged)).agent;
    },

    async patchAgentObject(ctx, { params, body }) {
      const changes = (before: Agent): AgentSettings => {
        const settings: AgentSettings = {};
        if (body.agent_endpoint !== undefined) {
          const endpoint = mergePatch(before.agent_endpoint, body.agent_endpoint) as AgentEndpoint;
          validEndpoint(endpoint, 'agent_endpoint');
          checkRouting(endpoint);
          settings.agent_endpoint = endpoint;
        }
        if (body.agent_card !== undefined) {
          settings.agent_card = mergePatch(before.agent_card ?? null, body.agent_card) as object | null;
          if (settings.agent_card !== null) validCard(settings.agent_card, 'agent_card');
        }
        return settings;
      };
      const after = await store.change(ctx.project, params.agent_name, changes);
      if (after === undefined) throw notFound('agent', params.agent_name, 'agent_name');
      return after;
    },

    async $delete(ctx, { params: { agent_name: name } }) {
      if (!(await store.delete(ctx.project, name))) throw notFound('agent', name, 'agent_name');
      return { object: 'agent.deleted', name, deleted: true };
    },

    enable: (ctx, { params }) => setState(ctx, params.agent_name, 'enabled'),
    disable: (ctx, { params }) => setState(ctx, params.agent_name, 'disabled'),

    async createVersion(ctx, { params, body }) {
      return (await store.addVersion(ctx.project, params.agent_name, newVersion(ctx, checkTool, body)))
        .version;
    },

    async listVersions(ctx, { params: { agent_name: name }, query }) {
      await agent(ctx, name);
      return cursorPage(
        query,
        {
          position: (id) => versionNumber(id.startsWith(`${name}:`) ? id.slice(name.length + 1) : id),
          rows: (window) => store.listVersions(ctx.project, name, query.include_drafts ?? false, window),
        },
        (found) => found,
        (found) => found.id,
      );
    },

    getVersion: (ctx, { params }) => version(ctx, params.agent_name, params.agent_version),

    async deleteVersion(ctx, { params: { agent_name: name, agent_version: wanted } }) {
      const found = await version(ctx, name, wanted);
      await store.deleteVersion(ctx.project, name, Number(found.version));
      return { object: 'agent.version.deleted', name, version: found.version, deleted: true };
    },
  };
}

/** A version as the path names it; undefined for what can't be one. */
const versionNumber = (text: string): number | undefined =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;

function newVersion(ctx: Context, checkTool: CheckTool, body: CreateAgentVersion): NewVersion {
  const { definition } = body;
  checkKind(ctx, definition.kind as string);
  if (body.draft) ctx.requireFeature('DraftAgents=V1Preview', 'Draft agents');
  if (body.digital_worker_type) {
    ctx.requireFeature('DigitalWorker=V1Preview', 'Digital workers');
    throw unsupportedParameter(
      'digital_worker_type',
      'Digital workers need Microsoft 365; this server has none.',
    );
  }
  if (body.blueprint_reference) {
    throw unsupportedParameter(
      'blueprint_reference',
      'Managed identity blueprints need Microsoft Entra; this server has none.',
    );
  }
  checkPrompt(ctx, checkTool, definition as PromptDefinition);
  return {
    created_at: unixSeconds(),
    draft: body.draft ?? false,
    description: body.description ?? null,
    metadata: body.metadata ?? {},
    definition: definition as PromptDefinition,
  };
}

function checkKind(ctx: Context, kind: string): void {
  if (kind === 'prompt') return;
  const gate = kindGates[kind];
  if (gate !== undefined) ctx.requireFeature(gate, `${kind[0]?.toUpperCase()}${kind.slice(1)} agents`);
  throw unsupportedParameter(
    'definition.kind',
    `Agents of kind '${kind}' do not run on this server yet; 'prompt' agents do.`,
  );
}

function checkPrompt(ctx: Context, checkTool: CheckTool, definition: PromptDefinition): void {
  if (definition.harness) {
    ctx.requireFeature('GitHubCopilot=V1Preview', 'The GitHub Copilot harness');
    throw unsupportedParameter('definition.harness', 'Agent harnesses do not run on this server.');
  }
  if (definition.skills && definition.skills.length > 0) {
    ctx.requireFeature('Skills=V1Preview', 'Skills');
    throw unsupportedParameter('definition.skills', 'Skills are not served yet.');
  }
  definition.tools?.forEach((tool, i) => {
    checkTool(tool, `definition.tools[${i}]`);
    const parameters = 'parameters' in tool ? tool.parameters : null;
    if (parameters)
      assertJsonSchema(parameters as Record<string, unknown>, `definition.tools[${i}].parameters`);
  });
  const format = definition.text?.format;
  if (format?.type === 'json_schema') assertJsonSchema(format.schema, 'definition.text.format.schema');
}

/** Traffic shares must add up, or some requests would go nowhere. */
function checkRouting(endpoint: AgentEndpoint): void {
  const rules = endpoint.version_selector?.version_selection_rules;
  if (!rules || rules.length === 0) return;
  const total = rules.reduce((sum, rule) => sum + rule.traffic_percentage, 0);
  if (total !== 100) {
    throw invalidPayload(
      'agent_endpoint.version_selector.version_selection_rules',
      `The traffic percentages of the version selection rules add up to ${total}; they must add up to 100.`,
    );
  }
  rules.forEach((rule, i) => {
    if (rule.agent_version !== '@latest' && versionNumber(rule.agent_version) === undefined) {
      throw invalidPayload(
        `agent_endpoint.version_selector.version_selection_rules[${i}].agent_version`,
        "A rule names a version number, or '@latest'.",
      );
    }
  });
}
