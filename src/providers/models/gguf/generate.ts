import { randomInt } from 'node:crypto';
import { ApiError, apiError, unsupportedParameter } from '../../../errors.ts';
import type { FinishReason, ModelEvent, ModelRequest } from '../model.ts';
import { type ChatCall, chatCall } from './chat-call.ts';
import { type EventPipe, eventPipe } from './event-pipe.ts';
import { createFunctionEvents } from './function-events.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { LlamaSequence, ResponseOptions, StopReason, Token } from './node-llama-cpp.ts';
import { fittingPrompt } from './token-count.ts';

/** How much of a prompt is evaluated before the next look at whether anybody still wants it. */
const promptStep = 128;
/** What llama.cpp's own server takes where the caller says nothing. */
const usualSampling = { temperature: 0.8, topP: 0.95, topK: 40, minP: 0.05 };

export function refuseUnsupported({ reasoningEffort, verbosity }: ModelRequest, deployment: string): void {
  const refuse = (name: string) => {
    throw unsupportedParameter(
      name,
      `Deployment '${deployment}' does not support '${name}' as asked; leave it out or change it.`,
    );
  };
  if (reasoningEffort !== null && reasoningEffort !== 'none') refuse('reasoning.effort');
  if (verbosity !== null) refuse('text.verbosity');
}

/** One call of the model: waits for a slot, and gives it back when the last token is made or nobody wants more. */
export async function* generate(
  loaded: LoadedModel,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const call = chatCall(request, loaded.template, loaded.deployment);
  const prompt = await fittingPrompt(loaded, call);
  const sequence = await loaded.sequences.acquire(
    signal,
    (free) => free.compareContextTokens(prompt).firstDifferentIndex,
  );
  const left = new AbortController();
  const pipe = eventPipe<ModelEvent>();
  const onAbort = () => {
    left.abort(signal.reason);
    pipe.fail(signal.reason, true);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  void run({ loaded, request, call, prompt, sequence, pipe, left })
    .then(pipe.end, (error) => pipe.fail(signal.aborted ? signal.reason : failed(error, loaded)))
    .finally(() => loaded.sequences.release(sequence));
  try {
    yield* pipe;
  } finally {
    signal.removeEventListener('abort', onAbort);
    left.abort();
  }
}

interface Run {
  loaded: LoadedModel;
  request: ModelRequest;
  call: ChatCall;
  prompt: Token[];
  sequence: LlamaSequence;
  pipe: EventPipe<ModelEvent>;
  left: AbortController;
}

async function run({ loaded, request, call, prompt, sequence, pipe, left }: Run): Promise<void> {
  const outputBefore = sequence.tokenMeter.usedOutputTokens;
  const cachedInputTokens = await evaluatePrompt(sequence, prompt, left.signal);
  const functions = createFunctionEvents(call.answerFunction, pipe.push);
  let reasoningTokens = 0;
  const full = new AbortController();
  const { LlamaChat } = loaded.package;
  const chat = new LlamaChat({ contextSequence: sequence, chatWrapper: call.wrapper });
  let stopReason: StopReason;
  try {
    const { metadata } = await chat.generateResponse(call.history, {
      ...sampling(request, loaded.contextTokens),
      signal: AbortSignal.any([left.signal, full.signal]),
      maxTokens: Math.min(request.maxOutputTokens ?? loaded.contextTokens, roomFor(prompt, sequence)),
      customStopTriggers: request.stop.filter((text) => text !== ''),
      ...(request.reasoningEffort === 'none' ? { budgets: { thoughtTokens: 0 } } : {}),
      // Forgetting the beginning of a conversation is for its owner to decide.
      contextShift: {
        size: 1,
        strategy() {
          full.abort();
          return { chatHistory: [] };
        },
      },
      ...(call.grammar === null
        ? {}
        : { grammar: await loaded.llama.createGrammarForJsonSchema(call.grammar) }),
      ...(call.functions === null ? {} : { functions: call.functions }),
      ...(call.functions === null || (request.parallelToolCalls && call.answerFunction === null)
        ? {}
        : { maxParallelFunctionCalls: 1 }),
      onResponseChunk({ segmentType, text, tokens }) {
        if (segmentType === 'thought') reasoningTokens += tokens.length;
        if (text !== '') pipe.push({ type: segmentType === 'thought' ? 'reasoning' : 'text', delta: text });
      },
      ...(call.functions === null ? {} : functions.callbacks),
    });
    stopReason = metadata.stopReason;
  } catch (error) {
    if (!full.signal.aborted || left.signal.aborted) throw error;
    stopReason = 'maxTokens';
  } finally {
    chat.dispose();
  }
  pipe.push({
    type: 'finish',
    reason: stopReason === 'functionCalls' && !functions.called() ? 'stop' : finishReasons[stopReason],
    usage: {
      inputTokens: prompt.length,
      cachedInputTokens,
      outputTokens: sequence.tokenMeter.usedOutputTokens - outputBefore,
      reasoningTokens,
    },
  });
}

/** Evaluates all but the last token, in steps, and tells how many the sequence knew already. */
async function evaluatePrompt(
  sequence: LlamaSequence,
  prompt: Token[],
  signal: AbortSignal,
): Promise<number> {
  const all = prompt.slice(0, -1);
  await sequence.adaptStateToTokens(all, false);
  const known = sequence.nextTokenIndex;
  for (let at = known; at < all.length; at += promptStep) {
    signal.throwIfAborted();
    await sequence.evaluateWithoutGeneratingNewTokens(all.slice(at, at + promptStep));
  }
  return known;
}

const roomFor = (prompt: Token[], { contextSize }: LlamaSequence): number =>
  Math.max(1, contextSize - prompt.length - 1);

type Sampling = Pick<ResponseOptions, 'temperature' | 'topP' | 'topK' | 'minP' | 'seed' | 'repeatPenalty'>;

function sampling(request: ModelRequest, contextTokens: number): Sampling {
  const { temperature, topP, seed, presencePenalty, frequencyPenalty } = request;
  return {
    ...usualSampling,
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { topP }),
    seed: seed === null ? randomInt(2 ** 32) : Number(BigInt.asUintN(32, BigInt(seed))),
    repeatPenalty:
      presencePenalty === null && frequencyPenalty === null
        ? false
        : {
            lastTokens: contextTokens,
            penalizeNewLine: true,
            penalty: 1,
            frequencyPenalty: frequencyPenalty ?? 0,
            presencePenalty: presencePenalty ?? 0,
          },
  };
}

const finishReasons: Record<StopReason, FinishReason> = {
  eogToken: 'stop',
  stopGenerationTrigger: 'stop',
  customStopTrigger: 'stop',
  functionCalls: 'tool_calls',
  maxTokens: 'length',
  abort: 'stop',
};

function failed(error: unknown, { deployment, log }: LoadedModel): ApiError {
  if (error instanceof ApiError) return error;
  log.warn({ deployment, reason: String(error) }, 'model call failed');
  const reason = error instanceof Error ? error.message : String(error);
  return apiError('model_error', `Deployment '${deployment}' failed: ${reason.slice(0, 200)}`);
}
