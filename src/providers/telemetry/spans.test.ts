import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import type { Deployment } from '../models/model.ts';
import type { EndedResponse } from './sink.ts';
import { responseSpans, type Span, type SpanSource } from './spans.ts';
import { ended } from './testing/ended.ts';

const resource: Span['resource'] = { attributes: {}, merge: () => resource, getRawAttributes: () => [] };
const deployment: Deployment = {
  name: 'gpt',
  provider: 'azure-openai',
  modelName: 'gpt-4o',
  modelVersion: '1',
  modelPublisher: 'OpenAI',
  capabilities: {},
  connectionName: null,
};

const spansOf = (
  response: EndedResponse,
  { content = false, ...changes }: Partial<Deployment & SpanSource>,
) =>
  responseSpans(response, {
    resource,
    scope: { name: 'test' },
    deployment: (name) => (name === 'gpt' ? { ...deployment, ...changes } : undefined),
    content,
  });

/** What a span costs to compare: without the parts that are alike in all. */
const shown = ({ name, kind, status, attributes }: Span) => ({
  name,
  kind,
  status: status.code,
  attributes,
});

describe('the spans of a response', () => {
  test('are one for the whole and one for each phase, model call and tool call', () => {
    const spans = spansOf(ended(), {});
    expect(spans.map(({ name }) => name)).toEqual([
      'chat gpt',
      'plan',
      'chat gpt-4o',
      'execute_tool look',
      'execute_tool find',
      'chat gpt-4o',
    ]);
    const [whole, plan, model, look, find] = spans.map(shown);
    expect(whole).toEqual({
      name: 'chat gpt',
      kind: SpanKind.SERVER,
      status: SpanStatusCode.UNSET,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'azure.ai.openai',
        'gen_ai.request.model': 'gpt',
        'gen_ai.response.id': 'resp_1',
        'gen_ai.response.finish_reasons': ['stop'],
        'bloomery.project': 'lab',
        'bloomery.response.status': 'completed',
      },
    });
    expect(plan).toMatchObject({ kind: SpanKind.INTERNAL, attributes: {} });
    expect(model).toEqual({
      name: 'chat gpt-4o',
      kind: SpanKind.CLIENT,
      status: SpanStatusCode.UNSET,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'azure.ai.openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.id': 'resp_1',
        'gen_ai.response.finish_reasons': ['tool_calls'],
        'gen_ai.usage.input_tokens': 11,
        'gen_ai.usage.output_tokens': 7,
        'gen_ai.usage.cache_read.input_tokens': 4,
        'gen_ai.usage.reasoning.output_tokens': 2,
        'bloomery.deployment': 'gpt',
        'bloomery.turn': 0,
      },
    });
    expect(look).toEqual({
      name: 'execute_tool look',
      kind: SpanKind.INTERNAL,
      status: SpanStatusCode.UNSET,
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'look',
        'gen_ai.tool.type': 'extension',
        'gen_ai.tool.call.id': 'mcp_1',
        'bloomery.tool.type': 'mcp',
      },
    });
    expect(find).toMatchObject({
      status: SpanStatusCode.ERROR,
      attributes: { 'gen_ai.tool.type': 'datastore', 'error.type': 'tool_execution_error' },
    });
  });

  test('belong to the caller’s trace, and all but the first to the first', () => {
    const [whole, ...inner] = spansOf(ended(), {});
    const ids = [whole, ...inner].map((span) => span?.spanContext().spanId);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(whole?.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
    for (const span of inner) {
      expect(span.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
      expect(span.parentSpanContext).toEqual(whole?.spanContext());
    }
    const orphan = ended();
    orphan.trace.parent_span_id = null;
    expect(spansOf(orphan, {})[0]).not.toHaveProperty('parentSpanContext');
  });

  test('have the times of the trace, to the nanosecond', () => {
    const [whole, , , look] = spansOf(ended(), {});
    expect([whole?.startTime, whole?.endTime, whole?.duration]).toEqual([
      [1_790_000_000, 123_000_000],
      [1_790_000_001, 123_500_000],
      [1, 500_000],
    ]);
    expect([look?.startTime, look?.endTime]).toEqual([
      [1_790_000_000, 624_000_000],
      [1_790_000_000, 724_250_000],
    ]);
  });

  test('tell of an agent, a conversation and what was asked for', () => {
    const [whole, , model] = spansOf(
      ended({
        agent: { name: 'clerk', version: '3' },
        conversationId: 'conv_1',
        previousResponseId: 'resp_0',
        temperature: 0.5,
        topP: 0,
        maxOutputTokens: 100,
        stream: true,
        outputType: 'json',
      }),
      {},
    ).map(shown);
    const request = {
      'gen_ai.conversation.id': 'conv_1',
      'gen_ai.output.type': 'json',
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.stream': true,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 0,
    };
    expect(whole).toMatchObject({
      name: 'invoke_agent clerk',
      attributes: {
        ...request,
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.id': 'clerk:3',
        'gen_ai.agent.name': 'clerk',
        'gen_ai.agent.version': '3',
        'gen_ai.request.previous_response.id': 'resp_0',
      },
    });
    expect(model?.attributes).toMatchObject({ ...request, 'gen_ai.response.time_to_first_chunk': 0.2 });
  });

  test('tell of a failure by its code, at the whole and at the call that was under way', () => {
    const failed = ended({ status: 'failed', error: { code: 'server_error', message: 'secret message' } });
    const last = failed.trace.phases.at(-1);
    if (last?.phase !== 'model_call') throw new Error('The trace ends with a model call.');
    Object.assign(last, { finish_reason: null, usage: null });
    const error = { code: SpanStatusCode.ERROR };
    const spans = spansOf(failed, {});
    expect(spans.map(({ status }) => status)).toEqual([
      error,
      ...Array(3).fill({ code: SpanStatusCode.UNSET }),
      error,
      error,
    ]);
    expect(spans[0]?.attributes).toMatchObject({ 'error.type': 'server_error' });
    expect(spans[5]?.attributes).toMatchObject({ 'error.type': 'server_error' });
    expect(spans[2]?.attributes).not.toHaveProperty('error.type');
    expect(spansOf(failed, { content: true })[0]?.status).toEqual({ ...error, message: 'secret message' });
    // Cancelled is not a failure.
    expect(spansOf(ended({ status: 'cancelled' }), {})[0]?.status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test.each([
    [{ provider: 'builtin' }, 'builtin', SpanKind.INTERNAL],
    [{ provider: 'anthropic' }, 'anthropic', SpanKind.CLIENT],
    [{ provider: 'openai-compatible' }, 'openai', SpanKind.CLIENT],
    [{ provider: 'openai-compatible', modelPublisher: 'Meta' }, 'openai-compatible', SpanKind.CLIENT],
  ])('name the provider: %j', (changes, name, kind) => {
    expect(spansOf(ended(), changes)[2]).toMatchObject({
      kind,
      attributes: { 'gen_ai.provider.name': name },
    });
  });

  test('hold nothing of what was said, unless they may', () => {
    const failed = ended({ status: 'failed', error: { code: 'x', message: 'secret message' } });
    expect(JSON.stringify(spansOf(failed, {}))).not.toContain('secret');
    const [whole, , , look] = spansOf(ended(), { content: true });
    expect(whole?.attributes).toMatchObject({
      'gen_ai.system_instructions': '[{"type":"text","content":"secret instructions"}]',
      'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"secret question"}]}]',
      'gen_ai.output.messages':
        '[{"role":"assistant","parts":[{"type":"text","content":"secret answer"}],"finish_reason":"stop"}]',
    });
    expect(look?.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '{"secret":"argument"}',
      'gen_ai.tool.call.result': 'secret output',
    });
  });
});
