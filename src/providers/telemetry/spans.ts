import { randomBytes } from 'node:crypto';
import { type Attributes, type HrTime, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Deployment } from '../models/model.ts';
import { contentAttributes, textAttribute } from './content.ts';
import type { TraceCall, TracePhase } from './response-trace.ts';
import type { EndedResponse } from './sink.ts';

export type Span = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

export interface SpanSource {
  resource: Span['resource'];
  scope: Span['instrumentationScope'];
  deployment(name: string): Deployment | undefined;
  /** Whether prompts, answers, arguments and outputs of tools may be told. */
  content: boolean;
}

type ModelCall = Extract<TracePhase, { phase: 'model_call' }>;
type Given = Record<string, Attributes[string] | null>;

interface Part {
  name: string;
  kind: SpanKind;
  start_ms: number;
  duration_ms: number;
  attributes: Given;
  /** The type of the error it ended with; null where it ended well. */
  error: string | null;
}

const sampled = 1;

/**
 * The spans of a response by OpenTelemetry's conventions for generative AI: one for the whole, first, and within it one
 * per phase, model call and tool call. Tokens stand at the model calls only, so that sums over spans are right.
 */
export function responseSpans(response: EndedResponse, source: SpanSource): Span[] {
  const { trace } = response;
  const context = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId: trace.trace_id,
    spanId,
    traceFlags: sampled,
    isRemote,
  });
  const span = ({ name, kind, attributes, error, ...time }: Part, parent: SpanContext | null): Span => {
    const own = context(randomBytes(8).toString('hex'), false);
    return {
      name,
      kind,
      spanContext: () => own,
      ...(parent === null ? {} : { parentSpanContext: parent }),
      startTime: instant(trace.started_at, time.start_ms),
      endTime: instant(trace.started_at, time.start_ms + time.duration_ms),
      duration: instant(0, time.duration_ms),
      ended: true,
      status:
        error === null
          ? { code: SpanStatusCode.UNSET }
          : { code: SpanStatusCode.ERROR, ...(source.content ? messageOf(response) : {}) },
      attributes: given({ ...attributes, 'error.type': error }),
      links: [],
      events: [],
      resource: source.resource,
      instrumentationScope: source.scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  };
  const caller = trace.parent_span_id === null ? null : context(trace.parent_span_id, true);
  const whole = span(wholePart(response, source), caller);
  return [whole, ...innerParts(response, source).map((part) => span(part, whole.spanContext()))];
}

function wholePart(response: EndedResponse, source: SpanSource): Part {
  const { agent, trace } = response;
  const operation = agent === null ? 'chat' : 'invoke_agent';
  const reasons = trace.phases.flatMap((phase) =>
    phase.phase === 'model_call' && phase.finish_reason !== null ? [phase.finish_reason] : [],
  );
  return {
    name: `${operation} ${agent === null ? response.model : agent.name}`,
    kind: SpanKind.SERVER,
    start_ms: 0,
    duration_ms: trace.duration_ms,
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': providerName(source.deployment(response.model)),
      'gen_ai.request.model': response.model,
      ...requestAttributes(response),
      'gen_ai.agent.id': agent === null ? null : `${agent.name}:${agent.version}`,
      'gen_ai.agent.name': agent?.name ?? null,
      'gen_ai.agent.version': agent?.version ?? null,
      'gen_ai.request.previous_response.id': response.previousResponseId,
      'gen_ai.response.finish_reasons': reasons.slice(-1),
      'bloomery.project': response.project,
      'bloomery.response.status': response.status,
      ...(source.content ? contentAttributes(response.content(), reasons.at(-1)) : {}),
    },
    error: failureOf(response),
  };
}

function innerParts(response: EndedResponse, source: SpanSource): Part[] {
  const { phases } = response.trace;
  return phases.flatMap((phase, at): Part[] => {
    if (phase.phase === 'tool_calls') return phase.calls.map((call) => toolPart(call, response, source));
    if (phase.phase === 'model_call') {
      // What failed is what was under way at the end.
      const failed = at === phases.length - 1 && phase.finish_reason === null;
      return [modelPart(phase, response, source, failed ? failureOf(response) : null)];
    }
    const { start_ms, duration_ms } = phase;
    return [
      { name: phase.phase, kind: SpanKind.INTERNAL, start_ms, duration_ms, attributes: {}, error: null },
    ];
  });
}

function modelPart(call: ModelCall, response: EndedResponse, source: SpanSource, error: string | null): Part {
  const deployment = source.deployment(call.deployment);
  const model = deployment?.modelName ?? call.deployment;
  const { usage, first_event_ms, finish_reason, start_ms, duration_ms } = call;
  return {
    name: `chat ${model}`,
    kind: deployment?.provider === 'builtin' ? SpanKind.INTERNAL : SpanKind.CLIENT,
    start_ms,
    duration_ms,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': providerName(deployment),
      'gen_ai.request.model': model,
      ...requestAttributes(response),
      'gen_ai.response.finish_reasons': finish_reason === null ? [] : [finish_reason],
      'gen_ai.response.time_to_first_chunk':
        response.stream && first_event_ms !== null ? first_event_ms / 1000 : null,
      'gen_ai.usage.input_tokens': usage?.inputTokens ?? null,
      'gen_ai.usage.output_tokens': usage?.outputTokens ?? null,
      'gen_ai.usage.cache_read.input_tokens': usage?.cachedInputTokens ?? null,
      'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens ?? null,
      'bloomery.deployment': call.deployment,
      'bloomery.turn': call.turn,
    },
    error,
  };
}

function toolPart(call: TraceCall, { conversationId }: EndedResponse, source: SpanSource): Part {
  const { start_ms, duration_ms } = call;
  return {
    name: `execute_tool ${call.name}`,
    kind: SpanKind.INTERNAL,
    start_ms,
    duration_ms,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': call.name,
      'gen_ai.tool.type': call.type === 'file_search' ? 'datastore' : 'extension',
      'gen_ai.tool.call.id': call.item_id,
      'gen_ai.conversation.id': conversationId,
      'gen_ai.tool.call.arguments': source.content ? textAttribute(call.arguments) : null,
      'gen_ai.tool.call.result': source.content ? textAttribute(call.output) : null,
      'bloomery.tool.type': call.type,
    },
    error: call.status === 'failed' ? 'tool_execution_error' : null,
  };
}

const requestAttributes = (response: EndedResponse): Given => ({
  'gen_ai.conversation.id': response.conversationId,
  'gen_ai.output.type': response.outputType === 'json' ? 'json' : null,
  'gen_ai.request.max_tokens': response.maxOutputTokens,
  'gen_ai.request.stream': response.stream ? true : null,
  'gen_ai.request.temperature': response.temperature,
  'gen_ai.request.top_p': response.topP,
  'gen_ai.response.id': response.id,
});

const failureOf = ({ status, error }: EndedResponse): string | null =>
  status === 'failed' ? (error?.code ?? '_OTHER') : null;

/** Messages of errors may quote what was said. */
const messageOf = ({ error }: EndedResponse): { message?: string } =>
  error === null ? {} : { message: textAttribute(error.message) };

/** Well-known names of the conventions where there is one. */
function providerName(deployment: Deployment | undefined): string {
  if (deployment === undefined) return '_OTHER';
  const { provider, modelPublisher } = deployment;
  if (provider === 'azure-openai') return 'azure.ai.openai';
  if (provider !== 'openai-compatible') return provider;
  return modelPublisher === 'OpenAI' ? 'openai' : provider;
}

function given(attributes: Given): Attributes {
  const kept: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && !(Array.isArray(value) && value.length === 0)) kept[name] = value;
  }
  return kept;
}

/** Seconds and nanoseconds. A sum in milliseconds would lose the last digits of the time since 1970. */
function instant(since: number, milliseconds: number): HrTime {
  const rest = (since % 1000) + milliseconds;
  return [Math.floor(since / 1000) + Math.floor(rest / 1000), Math.floor((rest % 1000) * 1e6)];
}
