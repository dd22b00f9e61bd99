import type { LanguageModelV4, LanguageModelV4CallOptions, SharedV4Warning } from '@ai-sdk/provider';
import { unsupportedParameter } from '../../errors.ts';
import type { ModelRequest } from './model.ts';

interface Parameter {
  /** The name clients know it by. */
  name: string;
  /** Whether the caller asked for it. */
  asked(request: ModelRequest): boolean;
}

const parameters: Record<string, Parameter> = {
  temperature: { name: 'temperature', asked: (request) => request.temperature !== null },
  topP: { name: 'top_p', asked: (request) => request.topP !== null },
  presencePenalty: { name: 'presence_penalty', asked: (request) => request.presencePenalty !== null },
  frequencyPenalty: { name: 'frequency_penalty', asked: (request) => request.frequencyPenalty !== null },
  seed: { name: 'seed', asked: (request) => request.seed !== null },
  stopSequences: { name: 'stop', asked: (request) => request.stop.length > 0 },
  maxOutputTokens: { name: 'max_output_tokens', asked: (request) => request.maxOutputTokens !== null },
  responseFormat: { name: 'text.format', asked: (request) => request.outputFormat.type !== 'text' },
  toolChoice: { name: 'tool_choice', asked: (request) => request.toolChoice !== 'auto' },
  tools: { name: 'tools', asked: (request) => request.tools.length > 0 },
  reasoning: { name: 'reasoning.effort', asked: (request) => request.reasoningEffort !== null },
  'providerOptions.anthropic.effort': {
    name: 'reasoning.effort',
    asked: (request) => request.reasoningEffort !== null,
  },
  'providerOptions.anthropic.thinking': {
    name: 'reasoning.effort',
    asked: (request) => request.reasoningEffort !== null,
  },
};

/**
 * Provider packages drop what they cannot send and say so in a warning, but only with the answer, which is
 * too late and may have cost money. So a call that asks for something is rehearsed first: with a tiny prompt,
 * on a model whose `fetch` answers at once with nothing. What the caller asked for and the package would drop
 * is refused by name. A tool's `strict` is no refusal: callers get it by default without asking.
 */
export async function refuseUnsupported(
  rehearsal: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  request: ModelRequest,
  deployment: string,
): Promise<void> {
  if (!Object.values(parameters).some((parameter) => parameter.asked(request))) return;
  const { stream } = await rehearsal.doStream({ ...options, prompt: tinyPrompt });
  for await (const part of stream) {
    if (part.type !== 'stream-start') continue;
    for (const warning of part.warnings) refuseIfAsked(warning, request, deployment);
  }
}

const tinyPrompt: LanguageModelV4CallOptions['prompt'] = [
  { role: 'user', content: [{ type: 'text', text: '.' }] },
];

/** The `fetch` of a rehearsal. */
export const silentFetch = async (): Promise<Response> =>
  new Response('', { headers: { 'content-type': 'text/event-stream' } });

function refuseIfAsked(warning: SharedV4Warning, request: ModelRequest, deployment: string): void {
  const parameter = warning.type === 'unsupported' ? parameters[warning.feature] : undefined;
  if (!parameter?.asked(request)) return;
  throw unsupportedParameter(
    parameter.name,
    `Deployment '${deployment}' does not support '${parameter.name}' as asked; leave it out or change it.`,
  );
}

const upstreamNames: Record<string, string> = {
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  reasoning_effort: 'reasoning.effort',
  response_format: 'text.format',
  messages: 'input',
};

/** The name clients know an upstream's parameter by. */
export function parameterOf(upstreamName: string): string {
  const known = upstreamNames[upstreamName];
  if (known !== undefined) return known;
  return /^[\w.[\]-]{1,100}$/.test(upstreamName) ? upstreamName.replace(/^messages\b.*/, 'input') : 'input';
}
