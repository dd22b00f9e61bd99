import { ApiError, unsupportedParameter } from '../../errors.ts';
import type { ModelTarget } from '../../providers/models/gateway.ts';
import type { ModelEvent, ModelRequest } from '../../providers/models/model.ts';
import { unfinished } from './completion.ts';
import type { CreateChatCompletion } from './contract.ts';

/**
 * Calls the model and waits for its first event, so that a call that fails at once is answered with its status.
 * Later failures are thrown by the events.
 */
export async function startModelCall(
  { provider, deployment }: ModelTarget,
  request: ModelRequest,
  body: CreateChatCompletion,
  signal: AbortSignal,
): Promise<AsyncIterable<ModelEvent>> {
  if (provider.generate === undefined) {
    throw unsupportedParameter('model', `Deployment '${deployment.name}' does not chat; name one that does.`);
  }
  const source = inChatTerms(provider.generate(request, signal), body);
  const first = await source.next();
  if (first.done) throw unfinished(deployment.name);
  return resumed(first.value, source);
}

async function* resumed<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* inChatTerms(
  events: AsyncIterable<ModelEvent>,
  body: CreateChatCompletion,
): AsyncGenerator<ModelEvent, undefined> {
  try {
    yield* events;
  } catch (error) {
    throw error instanceof ApiError ? renamed(error, body) : error;
  }
}

/** Model providers name fields as the Responses API does. */
function renamed(error: ApiError, body: CreateChatCompletion): ApiError {
  const { target, status, code, message, details, headers, cause } = error;
  const names: Record<string, string> = {
    input: 'messages',
    max_output_tokens: body.max_tokens ? 'max_tokens' : 'max_completion_tokens',
    'reasoning.effort': 'reasoning_effort',
    'text.format': 'response_format',
    'text.verbosity': 'verbosity',
  };
  const name = target === null ? undefined : names[target];
  if (target === null || name === undefined) return error;
  return new ApiError(status, code, message.replaceAll(`'${target}'`, `'${name}'`), {
    target: name,
    details,
    headers,
    cause,
  });
}
