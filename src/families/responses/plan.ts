import { missingParameter } from '../../errors.ts';
import type { Context as RequestContext } from '../../kit/context.ts';
import { newId, partitionOf } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { AgentDirectory } from '../agents/directory.ts';
import type { Hold } from '../conversations/ledger.ts';
import { type Context, type ContextSources, inputItems, loadContext } from './context.ts';
import type { CreateResponse, ResponseObject } from './contract.ts';
import type { Item } from './items.ts';
import { modelRequest } from './model-request.ts';
import { checkCalls, checkExclusive, checkRequest } from './request-checks.ts';
import type { TextFormat } from './request-parts.ts';
import type { RunPlan } from './run.ts';
import { effectiveSettings, type Settings } from './settings.ts';
import type { ResponseRecord } from './store.ts';

export interface PlanSources extends ContextSources {
  agents: AgentDirectory;
  models: ModelGateway;
}

/** A request ready to be run: who answers it, with what, and what it will be stored as. */
export interface Plan {
  run: RunPlan;
  record: ResponseRecord;
  /** The response before anything has happened. */
  initial: ResponseObject;
  store: boolean;
  stream: boolean;
  /** The conversation, held until the response is concluded. */
  hold: Hold | null;
}

export type PromptFields = Pick<
  CreateResponse,
  | 'model'
  | 'input'
  | 'instructions'
  | 'previous_response_id'
  | 'conversation'
  | 'tools'
  | 'tool_choice'
  | 'text'
  | 'reasoning'
  | 'parallel_tool_calls'
  | 'agent_reference'
  | 'agent'
  | 'structured_inputs'
>;

/** Throws whatever is wrong with the request; then nothing has changed, and no conversation stays held. */
export async function planResponse(
  sources: PlanSources,
  ctx: RequestContext,
  body: CreateResponse,
): Promise<Plan> {
  checkRequest(body);
  checkExclusive(body);
  const settings = await settingsFor(sources.agents, ctx, body);
  const { provider } = sources.models.resolve(settings.model, body.model ? 'model' : 'agent_reference');
  const id = newId('resp');
  const hold = await holdConversation(sources, ctx, body, id);
  try {
    const { context, input } = await promptItems(sources, ctx, body, id);
    const record: ResponseRecord = {
      id,
      agent: settings.agent,
      conversationId: context.conversationId,
      contextPosition: context.position,
      previousResponseId: body.previous_response_id ?? null,
      input,
    };
    return {
      record,
      hold,
      store: body.store ?? true,
      stream: body.stream ?? false,
      initial: initialResponse(record, settings, body),
      run: {
        provider,
        request: modelRequest(settings, [...context.items, ...input], body),
        turn: {
          partition: partitionOf(id),
          itemFields: itemFields(record),
          customTools: new Set(
            settings.tools.filter((tool) => tool.type === 'custom').map((tool) => tool.name),
          ),
          encryptedReasoning: body.include?.includes('reasoning.encrypted_content') ?? false,
        },
        mayTruncate: body.truncation === 'auto',
      },
    };
  } catch (error) {
    await hold?.release();
    throw error;
  }
}

/** The model call that a request would come to, for counting its tokens. */
export async function planPrompt(sources: PlanSources, ctx: RequestContext, body: PromptFields) {
  checkExclusive(body);
  const settings = await settingsFor(sources.agents, ctx, body);
  const { provider } = sources.models.resolve(settings.model, body.model ? 'model' : 'agent_reference');
  const { context, input } = await promptItems(sources, ctx, body, newId('resp'));
  return { provider, request: modelRequest(settings, [...context.items, ...input], {}) };
}

async function settingsFor(
  agents: AgentDirectory,
  ctx: RequestContext,
  body: PromptFields,
): Promise<Settings> {
  if (ctx.endpointAgent !== null) {
    const pinned = ctx.header('x-agent-version-override') ?? null;
    return effectiveSettings(await agents.byEndpoint(ctx.project, ctx.endpointAgent, pinned), body);
  }
  const reference = body.agent_reference ?? body.agent;
  if (!reference) return effectiveSettings(null, body);
  const version =
    reference.version === undefined || reference.version === null ? null : String(reference.version);
  return effectiveSettings(await agents.byReference(ctx.project, reference.name, version), body);
}

/** Held before it is read, so that two turns never answer the same state of a conversation. */
async function holdConversation(
  { conversations }: PlanSources,
  ctx: RequestContext,
  { conversation }: CreateResponse,
  holder: string,
): Promise<Hold | null> {
  if (!conversation) return null;
  const id = typeof conversation === 'string' ? conversation : conversation.id;
  await conversations.require(id, ctx, 'conversation');
  return conversations.hold(id, holder);
}

async function promptItems(sources: PlanSources, ctx: RequestContext, body: PromptFields, id: string) {
  const context: Context = await loadContext(sources, ctx, body);
  const input: Item[] = await inputItems(sources, ctx, context, body.input, partitionOf(id));
  if (input.length === 0 && context.items.length === 0) {
    throw missingParameter('input', "Missing required parameter: 'input'. There is nothing to answer.");
  }
  checkCalls(context.items, input);
  return { context, input };
}

/** Whose an item is, on each item that an agent gives out. */
const itemFields = ({ id, agent }: ResponseRecord): object =>
  agent === null ? {} : { agent_reference: { type: 'agent_reference', ...agent }, response_id: id };

const wholeFormat = (format: TextFormat): TextFormat =>
  format.type === 'json_schema'
    ? { ...format, description: format.description ?? null, strict: format.strict ?? false }
    : format;

function initialResponse(record: ResponseRecord, settings: Settings, body: CreateResponse): ResponseObject {
  const { agent, conversationId } = record;
  return {
    id: record.id,
    object: 'response',
    created_at: unixSeconds(),
    completed_at: null,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: settings.instructions,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    model: settings.model,
    output: [],
    parallel_tool_calls: settings.parallelToolCalls,
    previous_response_id: record.previousResponseId,
    conversation: conversationId === null ? null : { id: conversationId },
    reasoning: { effort: settings.reasoning?.effort ?? null, summary: settings.reasoning?.summary ?? null },
    store: body.store ?? true,
    temperature: settings.temperature ?? 1,
    top_p: settings.topP ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    text: { format: wholeFormat(settings.format), verbosity: settings.verbosity ?? 'medium' },
    tool_choice: settings.toolChoice,
    tools: settings.tools.map((tool) =>
      tool.type === 'function'
        ? {
            ...tool,
            description: tool.description ?? null,
            parameters: tool.parameters ?? null,
            strict: tool.strict ?? null,
          }
        : { ...tool, description: tool.description ?? null, format: tool.format ?? { type: 'text' } },
    ),
    truncation: body.truncation ?? 'disabled',
    service_tier: 'default',
    usage: null,
    user: body.user ?? null,
    safety_identifier: body.safety_identifier ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    metadata: body.metadata ?? {},
    agent_reference:
      agent === null ? null : { type: 'agent_reference', name: agent.name, version: agent.version },
  };
}
