import type {
  EmbeddingModelV4,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider';
import { apiError } from '../../errors.ts';
import { createEventFold } from './ai-sdk-events.ts';
import type { EmbeddingRequest, EmbeddingResult, ModelEvent, ModelProvider, ModelRequest } from './model.ts';
import { refuseUnsupported } from './parameters.ts';
import { countRequestTokens, countTextTokens } from './token-count.ts';
import { type Deadline, deadline, type ModelLog, readWithin, type Upstream } from './upstream.ts';
import { callFailure } from './upstream-errors.ts';

export interface AiSdkModels {
  upstream: Upstream;
  log: ModelLog;
  language: LanguageModelV4;
  /** The same model over `silentFetch`. */
  rehearsal: LanguageModelV4;
  embedding?: EmbeddingModelV4;
  /** The request in the terms of the AI SDK, with what only this package understands. */
  options(request: ModelRequest): LanguageModelV4CallOptions;
}

/** A provider over the model objects of one AI SDK provider package. */
export function createAiSdkProvider(models: AiSdkModels): ModelProvider {
  const { embedding } = models;
  return {
    generate: (request, signal) => generate(models, request, signal),
    ...(embedding === undefined
      ? {}
      : {
          embed: (request: EmbeddingRequest, signal: AbortSignal) =>
            embed(models, embedding, request, signal),
        }),
    countTokens: countRequestTokens,
  };
}

async function* generate(
  models: AiSdkModels,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const limit = deadline(signal, models.upstream.timeoutSeconds);
  const fold = createEventFold();
  try {
    for await (const part of parts(models, request, limit)) {
      if (part.type === 'error') throw part.error;
      yield* fold.push(part);
    }
    const finish = fold.finish();
    if (finish === null) throw unfinished(models.upstream);
    yield finish;
  } catch (error) {
    throw callFailure(error, models, limit, signal);
  } finally {
    limit.close();
  }
}

async function* parts(
  models: AiSdkModels,
  request: ModelRequest,
  limit: Deadline,
): AsyncGenerator<LanguageModelV4StreamPart> {
  const options = models.options(request);
  await refuseUnsupported(models.rehearsal, options, request, models.upstream.name);
  // Raw chunks tell refusals from texts, and keep-alive events from silence.
  const call = { ...options, includeRawChunks: true, abortSignal: limit.signal };
  const { stream } = await limit.step(() => models.language.doStream(call));
  yield* readWithin(limit, stream);
}

function unfinished({ name }: Upstream): Error {
  return apiError(
    'model_error',
    `Deployment '${name}' ended its answer without finishing it. Repeat the request.`,
  );
}

async function embed(
  models: AiSdkModels,
  model: EmbeddingModelV4,
  { inputs, dimensions }: EmbeddingRequest,
  signal: AbortSignal,
): Promise<EmbeddingResult> {
  const limit = deadline(signal, models.upstream.timeoutSeconds);
  const batch = (await model.maxEmbeddingsPerCall) ?? inputs.length;
  const result: EmbeddingResult = { embeddings: [], inputTokens: 0 };
  try {
    for (let start = 0; start < inputs.length; start += batch) {
      const values = inputs.slice(start, start + batch);
      const size = dimensions === null ? {} : { dimensions };
      const answer = await limit.step(() => model.doEmbed({ values, ...size, abortSignal: limit.signal }));
      if (answer.embeddings.length !== values.length) throw unfinished(models.upstream);
      result.embeddings.push(...answer.embeddings);
      result.inputTokens += answer.usage?.tokens ?? (await countTextTokens(values));
    }
    return result;
  } catch (error) {
    throw callFailure(error, models, limit, signal);
  } finally {
    limit.close();
  }
}
