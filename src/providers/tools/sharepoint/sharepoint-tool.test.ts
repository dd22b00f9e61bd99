import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ApiError } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';
import { graphService, type RetrievalHit } from '../testing/graph-service.ts';
import { type AnswerRequest, type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import type { ToolContext } from '../tool.ts';
import { sharepointTool } from './sharepoint-tool.ts';

const token = 'secret-token-1';
const site = 'https://contoso.sharepoint.com/sites/policies';
const leave: RetrievalHit = {
  webUrl: `${site}/Documents/Leave%20policy.docx`,
  extracts: [{ text: 'Thirty days a year.' }, { text: 'Ask your lead.' }],
  resourceMetadata: { title: 'Leave policy' },
};

let server: HttpServer;
afterEach(() => server?.close());

type Connection = { target?: string; credentials: ConnectionCredentials };
const toolWith = (connection: Connection) =>
  sharepointTool({ outbound: loopbackOutbound, connections: fixedConnections({ mine: connection }) });
const definition = (project_connections: unknown = [{ project_connection_id: 'mine' }]) => ({
  type: 'sharepoint_grounding_preview',
  sharepoint_grounding_preview: { project_connections },
});
const keys = (more: Record<string, string> = {}): ConnectionCredentials => ({
  type: 'CustomKeys',
  keys: { site_url: site, Authorization: `Bearer ${token}`, graph_url: server.url, ...more },
});
const open = (context: Partial<ToolContext> = {}, credentials = keys(), target?: string) =>
  opened(toolWith({ credentials, ...(target === undefined ? {} : { target }) }), definition(), context);
const find = async (query: string, signal?: AbortSignal) =>
  called(await open(), 'sharepoint_grounding', { query }, signal);

describe('a search', () => {
  test('asks the Retrieval API for the site, and cites the documents', async () => {
    server = await graphService(token, [leave]);
    const { output, fields, sources } = await find('How much leave do I have?');
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual({
      queryString: 'How much leave do I have?',
      dataSource: 'sharePoint',
      filterExpression: `path:"${site}"`,
      resourceMetadata: ['title', 'author'],
      maximumNumberOfResults: 10,
    });
    expect(output).toBe(`【1】 Leave policy\n${leave.webUrl}\nThirty days a year.\nAsk your lead.`);
    expect(fields).toEqual({ output });
    const annotation = { type: 'url_citation', url: leave.webUrl, title: 'Leave policy' };
    expect(sources).toEqual([
      { mention: '【1】', annotation },
      { mention: leave.webUrl, annotation },
    ]);
  });

  test('names a document without a title by its address', async () => {
    server = await graphService(token, [{ webUrl: leave.webUrl }]);
    expect((await find('leave')).output).toContain('【1】 Leave policy.docx\n');
  });

  test('takes its numbers from the response', async () => {
    server = await graphService(token, [leave]);
    const tool = await open({ nextMark: () => 11 });
    expect((await called(tool, 'sharepoint_grounding', { query: 'leave' })).output).toMatch(/^【11】/);
  });

  test('that finds nothing says so', async () => {
    server = await graphService(token, []);
    expect((await find('leave')).output).toBe("Nothing was found for 'leave'.");
  });

  test('takes the site from the target, too', async () => {
    server = await graphService(token, [leave]);
    const credentials: ConnectionCredentials = {
      type: 'CustomKeys',
      keys: { authorization: token, graph_url: `${server.url}/` },
    };
    const tool = await open({}, credentials, 'contoso.sharepoint.com/sites/hr');
    await called(tool, 'sharepoint_grounding', { query: 'leave' });
    expect(String(server.requests[0]?.body)).toContain('https://contoso.sharepoint.com/sites/hr');
  });

  test.each([{ query: ' ' }, {}, { query: 'x'.repeat(1501) }])('with %j is not made', async (given) => {
    server = await graphService(token, [leave]);
    await expect(called(await open(), 'sharepoint_grounding', given)).rejects.toThrow(/missing|longer than/);
    expect(server.requests).toEqual([]);
  });
});

describe('a service', () => {
  const says = (status: number, message: string, headers = {}): AnswerRequest => {
    return (response) => {
      response.writeHead(status, headers);
      response.end(JSON.stringify({ error: { code: 'x', message } }));
    };
  };
  test.each<[string, AnswerRequest, RegExp]>([
    [
      'does not take the token',
      says(401, `No: ${token}`),
      /^Microsoft Graph answered 401\. No: \[redacted\]$/,
    ],
    ['has had enough', says(429, 'Slow down.', { 'retry-after': '7' }), /429\. Slow down\. .*wait 7 s\.$/],
    ['fails', (response) => void response.writeHead(500).end('<html>'), /^Microsoft Graph answered 500\.$/],
    ['answers with no JSON', (response) => void response.end('<html>'), /not the JSON/],
    ['answers with a list', json([]), /not the JSON/],
    ['answers with something else', json({ value: [] }), /without 'retrievalHits'/],
    ['breaks off', (response) => void response.destroy(), /could not be reached/],
    [
      'breaks off in the middle',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{', () => response.destroy());
      },
      /broke off its answer/,
    ],
    [
      'leads elsewhere',
      (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /answered with a redirect \(302\).*set the connection's target/,
    ],
    [
      'answers without end',
      (response) => {
        for (let i = 0; i < 12; i++) response.write('x'.repeat(1_048_576));
        response.end();
      },
      /not the JSON/,
    ],
  ])('that %s makes a failed call', async (_, answer, message) => {
    server = await httpServer(answer);
    await expect(find('leave')).rejects.toThrow(message);
  });

  test('that answers any JSON makes results or a failed call', async () => {
    let value: unknown;
    server = await httpServer((response, request) => json(value)(response, request));
    const tool = await open();
    const hit = fc.record({
      webUrl: fc.oneof(fc.webUrl(), fc.jsonValue()),
      extracts: fc.jsonValue(),
      resourceMetadata: fc.jsonValue(),
    });
    const answers = fc.oneof(
      fc.jsonValue(),
      fc.record({ retrievalHits: fc.oneof(fc.jsonValue(), fc.array(hit)) }),
    );
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        value = answer;
        const result = await called(tool, 'sharepoint_grounding', { query: 'leave' }).catch((error) => error);
        expect(result.output ?? result).toEqual(
          typeof result.output === 'string' ? expect.any(String) : expect.any(ApiError),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('that hangs ends with the signal of the call', async () => {
    server = await httpServer(() => {});
    await expect(find('leave', AbortSignal.timeout(50))).rejects.toThrow(/timeout/);
  });

  test('that says the token in an answer is not repeated', async () => {
    server = await graphService(token, [{ ...leave, extracts: [{ text: `The token is ${token}.` }] }]);
    expect((await find('leave')).output).toContain('The token is [redacted].');
  });
});

describe('a definition that cannot be', () => {
  const place = 'tools[0].sharepoint_grounding_preview.project_connections';
  const id = `${place}[0].project_connection_id`;
  const bare: ConnectionCredentials = { type: 'None' };
  test.each<[unknown, Connection, string, RegExp]>([
    [null, { credentials: bare }, place, /must name the connection/],
    [[], { credentials: bare }, place, /must name the connection/],
    [[{}], { credentials: bare }, `${place}[0].project_connection_id`, /required/],
    [[{ project_connection_id: 'a' }, { project_connection_id: 'b' }], { credentials: bare }, place, /1/],
    [
      [{ project_connection_id: 'other' }],
      { credentials: bare },
      id,
      /No connection 'other'.*Add it with `bloomery connection set other`/,
    ],
    [undefined, { credentials: bare, target: '_' }, id, /names no SharePoint site/],
    [undefined, { credentials: bare, target: `${site}" OR path:"` }, id, /names no SharePoint site/],
    [undefined, { credentials: bare, target: site }, id, /no token for Microsoft Graph/],
    [undefined, { credentials: { type: 'AAD' }, target: site }, id, /no token for Microsoft Graph/],
    [
      undefined,
      { credentials: { type: 'CustomKeys', keys: { site_url: site } } },
      id,
      /CustomKeys that have 'Authorization'/,
    ],
    [
      undefined,
      {
        credentials: {
          type: 'CustomKeys',
          keys: { authorization: 'x', graph_url: 'http://169.254.169.254' },
        },
        target: site,
      },
      id,
      /may not reach/,
    ],
  ])('%j with %j is refused at its place', async (list, connection, target, message) => {
    await expect(opened(toolWith(connection), definition(list))).rejects.toMatchObject({
      status: 400,
      target,
      message: expect.stringMatching(message),
    });
  });
});
