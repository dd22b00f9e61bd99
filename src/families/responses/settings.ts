import { type ApiError, invalidPayload, missingParameter, unsupportedParameter } from '../../errors.ts';
import { assertJsonSchema } from '../../kit/validation.ts';
import type { AgentVersion } from '../agents/contract.ts';
import type { PromptDefinition } from '../agents/definition.ts';
import { clientTools } from './client-tools.ts';
import type { CreateResponse } from './contract.ts';
import type {
  AllowedTools,
  CustomTool,
  FunctionTool,
  Reasoning,
  TextFormat,
  TextOptions,
  Tool,
  ToolChoice,
} from './request-parts.ts';
import { structuredValues, substitute } from './structured-inputs.ts';
import { type ToolRegistry, toolRegistry } from './tool-set.ts';

type SettingFields = Pick<
  CreateResponse,
  | 'model'
  | 'instructions'
  | 'tools'
  | 'tool_choice'
  | 'text'
  | 'reasoning'
  | 'parallel_tool_calls'
  | 'structured_inputs'
> &
  Partial<Pick<CreateResponse, 'temperature' | 'top_p'>>;

/** What a response is made with, after its agent and its request have had their say. */
export interface Settings {
  agent: { name: string; version: string } | null;
  /** Name of the deployment. */
  model: string;
  instructions: string | null;
  /** As defined, those that run on the server among them. */
  tools: Tool[];
  toolChoice: ToolChoice;
  parallelToolCalls: boolean;
  format: TextFormat;
  verbosity: TextOptions['verbosity'];
  reasoning: Reasoning | null;
  temperature: number | null;
  topP: number | null;
}

/** Who decides a setting: `docs/guide/responses.md` explains it, and a test holds the two together. */
export const precedence = {
  model: 'agent only',
  instructions: 'agent only',
  tools: 'agent only',
  text: 'agent only',
  reasoning: 'agent only',
  tool_choice: 'request, then agent',
  temperature: 'request, then agent',
  top_p: 'request, then agent',
} as const satisfies Partial<Record<keyof CreateResponse, 'agent only' | 'request, then agent'>>;

/** Merges an agent's definition and a request. Throws for what contradicts the agent, or can't be honoured. */
export function effectiveSettings(
  version: AgentVersion | null,
  request: SettingFields,
  registry: ToolRegistry = toolRegistry([]),
): Settings {
  const definition = version === null ? null : (version.definition as PromptDefinition);
  if (definition !== null) refuseOverrides(definition, request);
  const from = definition ?? request;
  if (!from.model) {
    throw missingParameter(
      'model',
      "Missing required parameter: 'model'. Name a deployment, or an agent that has one.",
    );
  }
  const templates = { instructions: from.instructions ?? '', tools: definition?.tools ?? [] };
  const values = structuredValues(
    definition?.structured_inputs ?? {},
    request.structured_inputs ?? {},
    templates,
  );
  const tools = runnableTools(
    substitute(from.tools ?? [], values),
    definition === null ? 'tools' : 'agent_reference',
    registry,
  );
  const toolChoice = request.tool_choice ?? definition?.tool_choice ?? 'auto';
  checkToolChoice(toolChoice, tools);
  checkReasoning(from.reasoning ?? {});
  const text = from.text ?? {};
  const format = text.format ?? { type: 'text' };
  if (definition === null) checkSchemas(tools, format);
  return {
    agent: version === null ? null : { name: version.name, version: version.version },
    model: from.model,
    instructions: from.instructions ? substitute(from.instructions, values) : null,
    tools,
    toolChoice,
    parallelToolCalls: request.parallel_tool_calls ?? true,
    format,
    verbosity: text.verbosity ?? null,
    reasoning: from.reasoning ?? null,
    temperature: request.temperature ?? definition?.temperature ?? null,
    topP: request.top_p ?? definition?.top_p ?? null,
  };
}

/** The service's own words; clients look for them. */
function refuseOverrides(definition: PromptDefinition, request: SettingFields): void {
  for (const name of ['tools', 'instructions', 'text', 'reasoning'] as const) {
    const value = request[name];
    const isGiven = value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
    if (isGiven) throw notWithAgent(name);
  }
  if (request.model && request.model !== definition.model) throw notWithAgent('model');
}

const notWithAgent = (name: string): ApiError => invalidPayload(name, 'Not allowed when agent is specified.');

function runnableTools(tools: Tool[], field: string, registry: ToolRegistry): Tool[] {
  const names = new Set<string>();
  for (const [i, tool] of tools.entries()) {
    const place = field === 'tools' ? `tools[${i}]` : `${field}.tools[${i}]`;
    if (clientTools.has(tool.type as string)) {
      checkClientTool(tool, place);
      continue;
    }
    if (tool.type !== 'function' && tool.type !== 'custom') {
      if (registry.find(tool.type as string) === undefined) {
        throw unsupportedParameter(
          `${place}.type`,
          `Tools of type '${tool.type}' do not run on this server yet.`,
        );
      }
      registry.check(tool, place);
      continue;
    }
    const own = tool as FunctionTool | CustomTool;
    if (names.has(own.name))
      throw invalidPayload(place, `Two tools are named '${own.name}'; names must differ.`);
    names.add(own.name);
    if (own.type === 'custom' && own.format?.type === 'grammar') {
      throw unsupportedParameter(
        place,
        "Custom tools with a grammar can't be honoured here; leave 'format' out.",
      );
    }
  }
  return tools;
}

/** Shells of this server's containers are another thing than the client's own. */
function checkClientTool(tool: Tool, place: string): void {
  const { environment } = tool as { environment?: { type?: string } | string | null };
  if (tool.type !== 'shell' || typeof environment !== 'object' || environment === null) return;
  if (environment.type !== 'local') {
    throw unsupportedParameter(
      `${place}.environment`,
      "Shells run at the client here; leave 'environment' out, or send 'local'.",
    );
  }
}

function checkReasoning({ mode, context }: Reasoning): void {
  if (mode && mode !== 'standard') {
    throw unsupportedParameter(
      'reasoning.mode',
      "There is one mode of reasoning here; leave it out, or send 'standard'.",
    );
  }
  if (context && context !== 'auto') {
    throw unsupportedParameter(
      'reasoning.context',
      'What a model sees of its reasoning is its own choice; leave it out.',
    );
  }
}

/** `server_label` is what tells tools of one type apart. */
type NamedTool = AllowedTools['tools'][number] & { server_label?: string };

function checkToolChoice(choice: ToolChoice, tools: Tool[]): void {
  if (typeof choice === 'string') {
    if (choice === 'required' && tools.length === 0) {
      throw invalidPayload('tool_choice', "'tool_choice' is 'required', but there are no tools.");
    }
    return;
  }
  const isOwn = (type: unknown): boolean => type === 'function' || type === 'custom';
  const labelled = (type: string, label: string): boolean =>
    tools.some((tool) => tool.type === type && (tool as { server_label?: unknown }).server_label === label);
  const known = (name: unknown, type: unknown): boolean =>
    tools.some((tool) => tool.type === type && (!isOwn(type) || (tool as FunctionTool).name === name));
  const check = ({ type, name, server_label: label }: NamedTool, target: string): void => {
    if (known(name, type) && (label === undefined || labelled(type, label))) return;
    const called = label ?? name ?? type;
    throw invalidPayload(target, `The tool '${called}' that 'tool_choice' names is not among 'tools'.`);
  };
  if (choice.type === 'allowed_tools') {
    const { tools: allowed } = choice as AllowedTools;
    for (const [i, entry] of allowed.entries()) check(entry, `tool_choice.tools[${i}]`);
    return;
  }
  check(choice as NamedTool, 'tool_choice');
}

/** An agent's schemas were checked when its version was made. */
function checkSchemas(tools: Settings['tools'], format: TextFormat): void {
  for (const [i, tool] of tools.entries()) {
    const { parameters } = tool as Partial<FunctionTool>;
    if (tool.type === 'function' && parameters) assertJsonSchema(parameters, `tools[${i}].parameters`);
  }
  if (format.type === 'json_schema') assertJsonSchema(format.schema, 'text.format.schema');
}
