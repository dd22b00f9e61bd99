import { missingParameter } from '../../errors.ts';
import type { Context as RequestContext } from '../../kit/context.ts';
import { newId, partitionOf } from '../../kit/ids.ts';
import { filesAsGiven, type ReadFiles } from '../../kit/named-files.ts';
import { rolesIn } from '../../kit/roles-in.ts';
import { unixSeconds } from '../../kit/time.ts';
import { withoutSecrets } from '../../kit/tool-secrets.ts';
import { traceParent } from '../../kit/traceparent.ts';
import { callerOf, type ModelCaller, patientCaller } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { ToolContext } from '../../providers/tools/tool.ts';
import type { Sealer } from '../../trust/sealing.ts';
import type { AgentDirectory } from '../agents/directory.ts';
import type { Hold } from '../conversations/ledger.ts';
import type { Owner } from '../conversations/store.ts';
import type { ModelFiles } from '../files/model-files.ts';
import { approvedCalls } from './approvals.ts';
import { clientTools } from './client-tools.ts';
import { type Context, type ContextSources, inputItems, loadContext } from './context.ts';
import type { CreateResponse, ResponseObject } from './contract.ts';
import type { Item } from './items.ts';
import { turnRequest } from './model-request.ts';
import { readImage, readNamedFiles, requireFiles } from './named-files.ts';
import { noProgress, type Progress } from './progress.ts';
import type { ItemReading, ToolItemReplay } from './prompt.ts';
import { checkCalls, checkExclusive, checkRequest } from './request-checks.ts';
import { type RequestFields, requestFields } from './request-fields.ts';
import type { TextFormat, Tool } from './request-parts.ts';
import type { RunPlan } from './run.ts';
import { checkSeals, compactionSeal, reasoningSeal } from './seals.ts';
import { effectiveSettings, type Settings } from './settings.ts';
import type { ResponseRecord } from './store.ts';
import { sealBlueprint } from './tool-secrets.ts';
import { noTools, openTools, type ToolRegistry, type ToolSet } from './tool-set.ts';
import { type TraceParent, TraceWriter } from './trace.ts';

export interface PlanSources extends ContextSources {
  agents: AgentDirectory;
  models: ModelGateway;
  tools: ToolRegistry;
  sealer: Sealer;
  modelFiles: ModelFiles;
}

/** What a background response is taken up from in another process, besides its record and its events. */
export interface Blueprint {
  settings: Settings;
  fields: RequestFields;
  encryptedReasoning: boolean;
  trace: TraceParent;
  /** Of the request's headers, those that its tools go by. */
  toolHeaders?: Record<string, string>;
  /** The roles of the caller in the project; none in what was stored before they were kept. */
  roles?: readonly string[];
  /** What is secret in the definitions of tools; sealed, and only here, once it is stored. */
  toolSecrets?: string;
  /** Id of the key or subject that asked; earlier versions kept none. */
  key?: string;
}

/** A request ready to be run: who answers it, with what, and what it will be stored as. */
export interface Plan {
  run: RunPlan;
  record: ResponseRecord;
  blueprint: Blueprint;
  /** The response before anything has happened. */
  initial: ResponseObject;
  store: boolean;
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
  const trace = new TraceWriter(traceParent(ctx.header('traceparent')));
  trace.enter({ phase: 'plan' });
  const settings = await settingsFor(sources, ctx, body);
  sources.models.resolve(settings.model, body.model ? 'model' : 'agent_reference');
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
    const blueprint: Blueprint = {
      settings,
      fields: requestFields(body),
      encryptedReasoning: body.include?.includes('reasoning.encrypted_content') ?? false,
      trace: { traceId: trace.traceId, parentSpanId: trace.parentSpanId },
      toolHeaders: toolHeaders(sources.tools, settings, ctx),
      roles: rolesIn(ctx.principal.grants, ctx.project),
      key: ctx.principal.id,
    };
    const before = { context: context.items, output: [] };
    const caller = body.background ? patientCaller(ctx.project, ctx.principal.id, ctx.faults) : callerOf(ctx);
    const run = await assembleRun(sources, ctx, record, blueprint, before, noProgress(), trace, caller);
    await claimApprovals(sources, ctx, run);
    return {
      record,
      blueprint: sealBlueprint(blueprint, sources.sealer, ctx.project),
      hold,
      store: body.store ?? true,
      initial: initialResponse(record, settings, body),
      run,
    };
  } catch (error) {
    await hold?.release();
    throw error;
  }
}

/** The run of a response, new or taken up again. */
export async function assembleRun(
  sources: PlanSources,
  owner: Owner,
  record: ResponseRecord,
  { settings, fields, encryptedReasoning, toolHeaders = {}, roles = [], key }: Blueprint,
  before: { context: Item[]; output: Item[] },
  progress: Progress,
  trace: TraceWriter,
  caller: ModelCaller = patientCaller(owner.project, key ?? null),
): Promise<RunPlan> {
  const { tools: registry, sealer } = sources;
  const { provider } = sources.models.resolve(settings.model);
  const base = [...before.context, ...record.input];
  const files = await readNamedFiles(sources.modelFiles, owner, provider, before.context, record.input);
  const tools = await serverTools(sources, settings, owner, {
    context: base,
    output: before.output,
    include: fields.include,
    nextMark: () => ++progress.marks,
    stream: fields.stream,
    headers: toolHeaders,
    roles,
    key: caller.key,
  });
  const partition = partitionOf(record.id);
  return {
    provider,
    caller,
    settings,
    fields,
    base,
    items: {
      partition,
      itemFields: itemFields(record),
      seal: encryptedReasoning ? (text) => sealer.seal(text, reasoningSeal, owner.project) : null,
      sources: progress.sources,
    },
    tools,
    reading: readingOf(registry, sealer, owner.project, { progress, tools, files }),
    trace,
    approved: approvedCalls(before.context, record.input, tools, partition),
    begun: [],
    progress,
  };
}

/** What is told of items that only tools and seals know. */
export function readingOf(
  registry: ToolRegistry,
  sealer: Sealer,
  project: string,
  {
    progress = noProgress(),
    tools = null,
    files = filesAsGiven,
  }: { progress?: Progress; tools?: Pick<ToolSet, 'nameOfItem'> | null; files?: ReadFiles } = {},
): ItemReading {
  return {
    replay: replayOf(registry, progress),
    files,
    // Of two tools alike, only what the model was told says which one it called.
    nameOf: (item) => (progress.outputs[String(item.id)] === undefined ? tools?.nameOfItem(item) : undefined),
    open: (sealed) =>
      sealer.open(sealed, reasoningSeal, project) ?? sealer.open(sealed, compactionSeal, project),
  };
}

const replayOf =
  (registry: ToolRegistry, progress: Progress): ToolItemReplay =>
  (item, output) =>
    progress.outputs[item.id] ?? (item.status === 'incomplete' ? null : registry.replay(item, output));

async function serverTools(
  { tools: registry, modelFiles }: PlanSources,
  settings: Settings,
  { project, userIdentity }: Owner,
  request: Pick<
    ToolContext,
    'context' | 'output' | 'include' | 'stream' | 'headers' | 'nextMark' | 'roles' | 'key'
  >,
): Promise<ToolSet> {
  const definitions = settings.tools
    .map((definition, i) => ({
      definition,
      target: settings.agent === null ? `tools[${i}]` : `agent_reference.tools[${i}]`,
    }))
    .filter(({ definition }) => !isOwn(definition));
  if (definitions.length === 0) return noTools;
  const own = new Set(
    settings.tools
      .filter(isOwn)
      .map((tool) => clientTools.get(tool.type as string)?.name ?? String((tool as { name?: string }).name)),
  );
  return openTools(registry, definitions, own, {
    ...request,
    project,
    userIdentity,
    signal: new AbortController().signal,
    image: (source, target) => readImage(modelFiles, project, source, target),
  });
}

const noHeaders: Record<string, string> = {};

function toolHeaders(
  registry: ToolRegistry,
  { tools }: Settings,
  ctx: RequestContext,
): Record<string, string> {
  if (tools.length === 0) return noHeaders;
  const names = new Set(tools.flatMap(({ type }) => registry.find(type as string)?.headers ?? []));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = ctx.header(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const isOwn = (tool: Tool): boolean =>
  tool.type === 'function' || tool.type === 'custom' || clientTools.has(tool.type as string);

async function claimApprovals(
  { responses }: PlanSources,
  owner: Owner,
  { approved }: RunPlan,
): Promise<void> {
  for (const { approvalRequestId } of approved) {
    if (approvalRequestId !== undefined) await responses.claimApproval(owner.project, approvalRequestId);
  }
}

/** The model call that a request would come to, for counting its tokens. */
export async function planPrompt(sources: PlanSources, ctx: RequestContext, body: PromptFields) {
  checkExclusive(body);
  const settings = await settingsFor(sources, ctx, body);
  const { provider } = sources.models.resolve(settings.model, body.model ? 'model' : 'agent_reference');
  const { context, input } = await promptItems(sources, ctx, body, newId('resp'));
  const base = [...context.items, ...input];
  const files = await readNamedFiles(sources.modelFiles, ctx, provider, context.items, input);
  const tools = await serverTools(sources, settings, ctx, {
    context: base,
    output: [],
    include: [],
    nextMark: () => 0,
    stream: false,
    headers: toolHeaders(sources.tools, settings, ctx),
    roles: rolesIn(ctx.principal.grants, ctx.project),
    key: ctx.principal.id,
  });
  const parts = {
    settings,
    fields: requestFields({}),
    base,
    tools,
    reading: readingOf(sources.tools, sources.sealer, ctx.project, { tools, files }),
  };
  return {
    provider,
    request: turnRequest(parts, [], { mayCall: true, isFirst: true, maxOutputTokens: null }),
  };
}

async function settingsFor(
  { agents, tools }: PlanSources,
  ctx: RequestContext,
  body: PromptFields,
): Promise<Settings> {
  if (ctx.endpointAgent !== null) {
    const pinned = ctx.header('x-agent-version-override') ?? null;
    return effectiveSettings(await agents.byEndpoint(ctx.project, ctx.endpointAgent, pinned), body, tools);
  }
  const reference = body.agent_reference ?? body.agent;
  if (!reference) return effectiveSettings(null, body, tools);
  const version =
    reference.version === undefined || reference.version === null ? null : String(reference.version);
  return effectiveSettings(await agents.byReference(ctx.project, reference.name, version), body, tools);
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
  return conversations.hold({ project: ctx.project, id }, holder);
}

async function promptItems(
  sources: PlanSources,
  ctx: RequestContext,
  body: Pick<PromptFields, 'input' | 'previous_response_id' | 'conversation'>,
  id: string,
) {
  const context: Context = await loadContext(sources, ctx, body);
  const input: Item[] = await inputItems(sources, ctx, context, body.input, partitionOf(id));
  if (input.length === 0 && context.items.length === 0) {
    throw missingParameter('input', "Missing required parameter: 'input'. There is nothing to answer.");
  }
  requireFiles(ctx, input);
  checkCalls(context.items, input);
  checkSeals(sources.sealer, ctx.project, input);
  return { context, input };
}

/** All items of a request: what came before, and its input. */
export async function planItems(
  sources: PlanSources,
  ctx: RequestContext,
  body: Pick<PromptFields, 'input' | 'previous_response_id'>,
): Promise<Item[]> {
  const { context, input } = await promptItems(sources, ctx, body, newId('resp'));
  return [...context.items, ...input];
}

/** Whose an item is, on each item that an agent gives out. */
const itemFields = ({ id, agent }: ResponseRecord): object =>
  agent === null ? {} : { agent_reference: { type: 'agent_reference', ...agent }, response_id: id };

function initialResponse(record: ResponseRecord, settings: Settings, body: CreateResponse): ResponseObject {
  const { agent, conversationId } = record;
  const background = body.background ?? false;
  return {
    id: record.id,
    object: 'response',
    created_at: unixSeconds(),
    completed_at: null,
    status: background ? 'queued' : 'in_progress',
    background,
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
    tools: settings.tools.map(wholeTool),
    truncation: body.truncation ?? 'disabled',
    service_tier: 'default',
    usage: null,
    user: body.user ?? null,
    safety_identifier: body.safety_identifier ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    metadata: body.metadata ?? {},
    agent_reference: agent === null ? null : { type: 'agent_reference', ...agent },
  };
}

const wholeFormat = (format: TextFormat): TextFormat =>
  format.type === 'json_schema'
    ? { ...format, description: format.description ?? null, strict: format.strict ?? false }
    : format;

/** With the members that clients count on; what is secret in a definition stays out. */
function wholeTool(tool: Tool): Record<string, unknown> {
  const shown: Record<string, unknown> = withoutSecrets(tool);
  const common = { description: shown.description ?? null };
  if (tool.type === 'function') {
    return { ...shown, ...common, parameters: shown.parameters ?? null, strict: shown.strict ?? null };
  }
  return tool.type === 'custom' ? { ...shown, ...common, format: shown.format ?? { type: 'text' } } : shown;
}
