import { ApiError, unsupportedParameter } from '../../errors.ts';
import type { ModelCaller } from '../../providers/models/caller.ts';
import type { ModelTarget } from '../../providers/models/gateway.ts';
import type { ModelEvent, ModelRequest } from '../../providers/models/model.ts';
import { unfinished } from './completion.ts';

/** What the API calls the fields that model providers complain about; they name them as the Responses API does. */
export type FieldNames = Record<string, string>;

/**
 * Calls the model and waits for its first event, so that a call that fails at once is answered with its status.
 * Later failures are thrown by the events.
 */
export async function startModelCall(
  { provider, deployment }: ModelTarget,
  request: ModelRequest,
  names: FieldNames,
  signal: AbortSignal,
  caller: ModelCaller,
): Promise<AsyncIterable<ModelEvent>> {
  if (provider.generate === undefined) {
    throw unsupportedParameter('model', `Deployment '${deployment.name}' does not chat; name one that does.`);
  }
  const source = inApiTerms(provider.generate(request, signal, caller), names);
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

async function* inApiTerms(
  events: AsyncIterable<ModelEvent>,
  names: FieldNames,
): AsyncGenerator<ModelEvent, undefined> {
  try {
    yield* events;
  } catch (error) {
    throw error instanceof ApiError ? renamed(error, names) : error;
  }
}

function renamed(error: ApiError, names: FieldNames): ApiError {
  const { target, status, code, message, details, headers, cause } = error;
  const name = target === null ? undefined : names[target];
  if (target === null || name === undefined) return error;
  return new ApiError(status, code, message.replaceAll(`'${target}'`, `'${name}'`), {
    target: name,
    details,
    headers,
    cause,
  });
}
