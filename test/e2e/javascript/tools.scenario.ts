import { BadRequestError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answersMessage, testAgent } from '../../../src/providers/tools/testing/a2a-agent.ts';
import { httpServer, json } from '../../../src/providers/tools/testing/http-server.ts';
import { deployment, openai } from './clients.ts';

let weather: Awaited<ReturnType<typeof httpServer>>;
let agent: Awaited<ReturnType<typeof testAgent>>;
beforeAll(async () => {
  weather = await httpServer((response, request) => {
    const city = new URL(request.url, 'http://a').searchParams.get('city');
    json({ weather: `It rains in ${city}.` })(response, request);
  });
  agent = await testAgent({ execute: answersMessage(() => 'The hotel has two rooms left.') });
});
afterAll(() => Promise.all([weather.close(), agent.close()]));

/** Foundry's tools, which the types of the OpenAI client do not know. */
const ask = (input: string, tool: object) =>
  openai.responses.create({ model: deployment, input, tools: [tool as never] });
const types = (output: { type: string }[]) => output.map(({ type }) => type);

test('an OpenAPI service is called', async () => {
  const spec = {
    openapi: '3.1.0',
    info: { title: 'Weather', version: '1' },
    servers: [{ url: weather.url }],
    paths: {
      '/weather': {
        get: {
          operationId: 'getWeather',
          description: 'Get the weather in a city.',
          parameters: [{ name: 'city', in: 'query', required: true, schema: { type: 'string' } }],
          responses: { 200: { description: 'The weather.' } },
        },
      },
    },
  };
  const tool = { type: 'openapi', openapi: { name: 'weather', spec, auth: { type: 'anonymous' } } };
  const response = await ask('How is the weather in Oslo?', tool);
  expect(types(response.output)).toEqual(['openapi_call', 'openapi_call_output', 'message']);
  expect(response.output_text).toContain('It rains in Oslo.');
});

test('another agent is asked', async () => {
  const response = await ask('Ask the agent: are there rooms left in the hotel?', {
    type: 'a2a_preview',
    base_url: agent.url,
  });
  expect(types(response.output)).toEqual(['a2a_preview_call', 'a2a_preview_call_output', 'message']);
  expect(response.output_text).toContain('two rooms left');
});

describe('a tool whose service is not configured is refused, and the error says what to do', () => {
  const connection = { project_connection_id: 'nowhere' };
  test.each([
    [{ type: 'web_search' }, /webSearch/],
    [{ type: 'image_generation' }, /deployment/],
    [
      { type: 'azure_ai_search', azure_ai_search: { indexes: [{ ...connection, index_name: 'i' }] } },
      /connection set nowhere/,
    ],
    [
      { type: 'bing_grounding', bing_grounding: { search_configurations: [connection] } },
      /connection set nowhere/,
    ],
    [
      {
        type: 'sharepoint_grounding_preview',
        sharepoint_grounding_preview: { project_connections: [connection] },
      },
      /connection set nowhere/,
    ],
    [
      { type: 'fabric_dataagent_preview', fabric_dataagent_preview: { project_connections: [connection] } },
      /connection set nowhere/,
    ],
    [{ type: 'work_iq_preview', ...connection }, /connection set nowhere/],
    [{ type: 'fabric_iq_preview', ...connection }, /connection set nowhere/],
    [{ type: 'web_iq_preview', ...connection }, /connection set nowhere/],
    [
      { type: 'browser_automation_preview', browser_automation_preview: { connection } },
      /connection set nowhere/,
    ],
  ])('%j', async (tool, message) => {
    const error = await ask('Go.', tool).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as BadRequestError).message).toMatch(message);
    expect((error as BadRequestError).param).toMatch(/^tools\[0\]/);
  });
});
