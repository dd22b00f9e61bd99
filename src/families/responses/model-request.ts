import type { ModelRequest, ModelTool, ModelToolChoice } from '../../providers/models/model.ts';
import type { CreateResponse } from './contract.ts';
import type { Item } from './items.ts';
import { promptMessages } from './prompt.ts';
import type { Settings } from './settings.ts';

type RequestFields = Pick<CreateResponse, 'max_output_tokens' | 'safety_identifier' | 'user' | 'stream'>;

/** The model call that settings, items and the rest of a request come to. */
export function modelRequest(settings: Settings, items: Item[], request: RequestFields): ModelRequest {
  const { tools, choice } = offeredTools(settings);
  return {
    messages: promptMessages(settings.instructions, items),
    tools,
    toolChoice: choice,
    parallelToolCalls: settings.parallelToolCalls,
    outputFormat: outputFormat(settings),
    maxOutputTokens: request.max_output_tokens ?? null,
    temperature: settings.temperature,
    topP: settings.topP,
    presencePenalty: null,
    frequencyPenalty: null,
    seed: null,
    stop: [],
    reasoningEffort: settings.reasoning?.effort ?? null,
    // What is the default anyway need not be asked for; not every provider knows the parameter.
    verbosity: settings.verbosity === 'medium' ? null : (settings.verbosity ?? null),
    user: request.safety_identifier ?? request.user ?? null,
    stream: request.stream ?? false,
  };
}

function outputFormat({ format }: Settings): ModelRequest['outputFormat'] {
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, schema, description, strict } = format;
  return { type: 'json_schema', name, schema, description: description ?? null, strict: strict ?? false };
}

function offeredTools({ tools, toolChoice }: Settings): { tools: ModelTool[]; choice: ModelToolChoice } {
  const all = tools.map(modelTool);
  if (typeof toolChoice === 'string') return { tools: all, choice: toolChoice };
  if ('tools' in toolChoice) {
    const allowed = new Set(toolChoice.tools.map((tool) => tool.name));
    return { tools: all.filter((tool) => allowed.has(tool.name)), choice: toolChoice.mode };
  }
  return { tools: all, choice: { name: (toolChoice as { name: string }).name } };
}

const noParameters = { type: 'object', properties: {} };
const freeText = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The input of the tool, as free text.' } },
  required: ['input'],
  additionalProperties: false,
};

function modelTool(tool: Settings['tools'][number]): ModelTool {
  const { name } = tool;
  const description = tool.description ?? null;
  return tool.type === 'custom'
    ? { name, description, parameters: freeText, strict: null }
    : { name, description, parameters: tool.parameters ?? noParameters, strict: tool.strict ?? null };
}
