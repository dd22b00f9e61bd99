import type { EndedResponse } from '../sink.ts';

const startedAt = 1_790_000_000_123;

/** A response of two model calls with a tool call between them. */
export const ended = (changes: Partial<EndedResponse> = {}): EndedResponse => ({
  id: 'resp_1',
  project: 'lab',
  status: 'completed',
  error: null,
  model: 'gpt',
  agent: null,
  conversationId: null,
  previousResponseId: null,
  temperature: null,
  topP: null,
  maxOutputTokens: null,
  stream: false,
  outputType: 'text',
  trace: {
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    parent_span_id: 'b7ad6b7169203331',
    started_at: startedAt,
    duration_ms: 1000.5,
    phases: [
      { phase: 'plan', start_ms: 0, duration_ms: 0.5 },
      {
        phase: 'model_call',
        deployment: 'gpt',
        turn: 0,
        first_event_ms: 200,
        usage: { inputTokens: 11, cachedInputTokens: 4, outputTokens: 7, reasoningTokens: 2 },
        finish_reason: 'tool_calls',
        start_ms: 0.5,
        duration_ms: 499.5,
      },
      {
        phase: 'tool_calls',
        start_ms: 500,
        duration_ms: 250,
        calls: [
          {
            item_id: 'mcp_1',
            type: 'mcp',
            name: 'look',
            arguments: '{"secret":"argument"}',
            output: 'secret output',
            status: 'completed',
            start_ms: 501,
            duration_ms: 100.25,
          },
          {
            item_id: 'fs_1',
            type: 'file_search',
            name: 'find',
            arguments: '{}',
            output: 'The call failed: secret',
            status: 'failed',
            start_ms: 502,
            duration_ms: 10,
          },
        ],
      },
      {
        phase: 'model_call',
        deployment: 'gpt',
        turn: 1,
        first_event_ms: null,
        usage: { inputTokens: 20, cachedInputTokens: 0, outputTokens: 5, reasoningTokens: 0 },
        finish_reason: 'stop',
        start_ms: 750,
        duration_ms: 250.5,
      },
    ],
  },
  content: () => ({
    instructions: 'secret instructions',
    input: [{ role: 'user', content: [{ type: 'text', text: 'secret question' }] }],
    output: [{ role: 'assistant', content: [{ type: 'text', text: 'secret answer' }] }],
  }),
  ...changes,
});
