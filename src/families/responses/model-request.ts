import type { ModelRequest, ModelTool, ModelToolChoice } from '../../providers/models/model.ts';
import { plainRequest } from '../../providers/models/plain-request.ts';
import { clientTools } from './client-tools.ts';
import type { Item } from './items.ts';
import { type ItemReading, promptMessages } from './prompt.ts';
import type { RequestFields } from './request-fields.ts';
import type { AllowedTools, CustomTool, FunctionTool, ToolChoice } from './request-parts.ts';
import type { Settings } from './settings.ts';
import type { ToolBinding, ToolSet } from './tool-set.ts';

export interface RequestParts {
  settings: Settings;
  fields: RequestFields;
  base: Item[];
  tools: ToolSet;
  reading: ItemReading;
}

/** The model call of one turn: what came before, and what the response has brought so far. */
export function turnRequest(
  { settings, fields, base, tools, reading }: RequestParts,
  output: Item[],
  turn: { mayCall: boolean; isFirst: boolean; maxOutputTokens: number | null },
): ModelRequest {
  const offer = turn.mayCall ? offeredTools(settings, tools, turn.isFirst) : nothing;
  return {
    ...plainRequest,
    messages: promptMessages(
      settings.instructions,
      output.length === 0 ? base : [...base, ...output],
      reading,
    ),
    tools: offer.tools,
    toolChoice: offer.choice,
    parallelToolCalls: settings.parallelToolCalls,
    outputFormat: outputFormat(settings),
    maxOutputTokens: turn.maxOutputTokens,
    temperature: settings.temperature,
    topP: settings.topP,
    reasoningEffort: settings.reasoning?.effort ?? null,
    // What is the default anyway need not be asked for; not every provider knows the parameter.
    verbosity: settings.verbosity === 'medium' ? null : (settings.verbosity ?? null),
    user: fields.user,
    stream: fields.stream,
  };
}

function outputFormat({ format }: Settings): ModelRequest['outputFormat'] {
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, schema, description, strict } = format;
  return { type: 'json_schema', name, schema, description: description ?? null, strict: strict ?? false };
}

interface NamedTool {
  type: string;
  name?: string;
  server_label?: string;
}

interface Offer {
  tools: ModelTool[];
  choice: ModelToolChoice;
}

const nothing: Offer = { tools: [], choice: 'auto' };

/** What was demanded of the first turn has been done by the second: demanded again, a run would never end. */
function offeredTools(settings: Settings, server: ToolSet, isFirstTurn: boolean): Offer {
  const all = [...settings.tools.flatMap(clientTool), ...server.functions];
  // A tool may turn out to have nothing to offer.
  if (all.length === 0) return nothing;
  const choice = chosen(settings.toolChoice, all, server);
  return !isFirstTurn && choice.choice !== 'none' ? { ...choice, choice: 'auto' } : choice;
}

function chosen(choice: ToolChoice, all: ModelTool[], server: ToolSet): Offer {
  if (typeof choice === 'string') return { tools: all, choice };
  const ofTools = (named: NamedTool[]): ModelTool[] =>
    all.filter(({ name }) => named.some((entry) => isNamed(entry, name, server)));
  if (choice.type === 'allowed_tools') {
    const { tools, mode } = choice as AllowedTools;
    return { tools: ofTools(tools), choice: mode };
  }
  const [only, ...more] = ofTools([choice as NamedTool]);
  if (only === undefined) return { tools: all, choice: 'auto' };
  return more.length === 0
    ? { tools: all, choice: { name: only.name } }
    : { tools: [only, ...more], choice: 'required' };
}

/** Functions are named by name, tools that run here or have a shape of their own by type. */
function isNamed(entry: NamedTool, name: string, server: ToolSet): boolean {
  const binding = server.bindings.get(name);
  if (binding !== undefined) return isBound(entry, binding);
  if (entry.name !== undefined) return entry.name === name;
  return clientTools.get(entry.type)?.name === name;
}

function isBound({ type, server_label, name }: NamedTool, { tool, open, name: own }: ToolBinding): boolean {
  if (type !== tool.type || (server_label ?? open.label) !== open.label) return false;
  return name === undefined || (open.functionOf?.({ server_label: open.label, name }) ?? name) === own;
}

const noParameters = { type: 'object', properties: {} };
const freeText = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The input of the tool, as free text.' } },
  required: ['input'],
  additionalProperties: false,
};

function clientTool(tool: Settings['tools'][number]): ModelTool[] {
  const own = clientTools.get(tool.type as string);
  if (own !== undefined) return [own.offer(tool)];
  if (tool.type === 'custom') {
    const { name, description } = tool as CustomTool;
    return [{ name, description: description ?? null, parameters: freeText, strict: null }];
  }
  if (tool.type !== 'function') return [];
  const { name, description, parameters, strict } = tool as FunctionTool;
  return [
    {
      name,
      description: description ?? null,
      parameters: parameters ?? noParameters,
      strict: strict ?? null,
    },
  ];
}
