import { type ApiError, invalidPayload, missingParameter, unsupportedParameter } from '../../errors.ts';
import { assertJsonSchema } from '../../kit/validation.ts';
import type { AgentVersion } from '../agents/contract.ts';
import type { PromptDefinition } from '../agents/definition.ts';
import type { CreateResponse } from './contract.ts';
import type {
  CustomTool,
  FunctionTool,
  Reasoning,
  TextFormat,
  TextOptions,
  Tool,
  ToolChoice,
} from './request-parts.ts';
import { structuredValues, substitute } from './structured-inputs.ts';

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
  tools: RunnableTool[];
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
export function effectiveSettings(version: AgentVersion | null, request: SettingFields): Settings {
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
  );
  const toolChoice = request.tool_choice ?? definition?.tool_choice ?? 'auto';
  checkToolChoice(toolChoice, tools);
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

type RunnableTool = FunctionTool | CustomTool;

function runnableTools(tools: Tool[], field: string): RunnableTool[] {
  const names = new Set<string>();
  return tools.map((tool, i) => {
    const place = field === 'tools' ? `tools[${i}]` : field;
    if (tool.type !== 'function' && tool.type !== 'custom') {
      throw unsupportedParameter(
        place,
        `Tools of type '${tool.type}' do not run on this server yet; 'function' and 'custom' do.`,
      );
    }
    const runnable = tool as RunnableTool;
    if (names.has(runnable.name)) {
      throw invalidPayload(place, `Two tools are named '${runnable.name}'; names must differ.`);
    }
    names.add(runnable.name);
    if (runnable.type === 'custom' && runnable.format?.type === 'grammar') {
      throw unsupportedParameter(
        place,
        "Custom tools with a grammar can't be honoured here; leave 'format' out.",
      );
    }
    return runnable;
  });
}

function checkToolChoice(choice: ToolChoice, tools: Settings['tools']): void {
  if (typeof choice === 'string') {
    if (choice === 'required' && tools.length === 0) {
      throw invalidPayload('tool_choice', "'tool_choice' is 'required', but there are no tools.");
    }
    return;
  }
  const known = (name: unknown, type: string): boolean =>
    tools.some((tool) => tool.type === type && tool.name === name);
  if ('tools' in choice) {
    for (const [i, { type, name }] of choice.tools.entries()) {
      if (!known(name, type)) {
        throw invalidPayload(`tool_choice.tools[${i}]`, `The tool '${name ?? type}' is not among 'tools'.`);
      }
    }
    return;
  }
  const { type } = choice;
  const name = 'name' in choice ? choice.name : undefined;
  if (!known(name, type)) {
    throw invalidPayload(
      'tool_choice',
      `The tool '${name ?? type}' that 'tool_choice' names is not among 'tools'.`,
    );
  }
}

/** An agent's schemas were checked when its version was made. */
function checkSchemas(tools: Settings['tools'], format: TextFormat): void {
  for (const [i, tool] of tools.entries()) {
    if (tool.type === 'function' && tool.parameters)
      assertJsonSchema(tool.parameters, `tools[${i}].parameters`);
  }
  if (format.type === 'json_schema') assertJsonSchema(format.schema, 'text.format.schema');
}
