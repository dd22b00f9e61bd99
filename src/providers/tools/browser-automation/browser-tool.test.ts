import { afterEach, describe, expect, test, vi } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import type { ConnectionCredentials } from '../connections.ts';
import { type AnswerRequest, httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import {
  type PlaywrightService,
  type PlaywrightServiceOptions,
  playwrightService,
} from '../testing/playwright-service.ts';
import type { OpenTool, ServerTool } from '../tool.ts';
import { browserTools } from './browser-tool.ts';

const token = 'secret-token-1';
const key: ConnectionCredentials = { type: 'ApiKey', apiKey: token };
const home = 'https://example.com/';
const more = { ref: 'e1', kind: 'a', label: 'More information' };
const pages = {
  [home]: {
    title: 'Example Domain',
    text: 'For use in examples.',
    elements: [more],
    leadsTo: 'https://iana.org/',
  },
  'https://iana.org/': { title: 'IANA', text: 'Reserved domains.' },
};

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const toolsWith = (target: string, credentials: ConnectionCredentials) =>
  browserTools({
    outbound: loopbackOutbound,
    connections: fixedConnections({ browser: { target, credentials } }),
  }) as [ServerTool, ServerTool];
const definitionOf = (type: string, id = 'browser') => ({
  type,
  [type]: { connection: { project_connection_id: id } },
});

async function open(target: string, credentials = key): Promise<OpenTool> {
  const tool = await opened(toolsWith(target, credentials)[0], definitionOf('browser_automation'));
  closers.push(() => tool.close?.());
  return tool;
}
async function start(options: Partial<PlaywrightServiceOptions> = {}): Promise<PlaywrightService> {
  const service = await playwrightService({ token, pages, ...options });
  closers.push(() => service.close());
  return service;
}
const use = async (tool: OpenTool, name: string, given: object, signal?: AbortSignal) =>
  (await called(tool, `browser_${name}`, given, signal)).output;

describe('a browser', () => {
  test('shows pages, and what can be done with them', async () => {
    const tool = await open((await start()).url);
    expect(await use(tool, 'navigate', { url: home })).toBe(
      `Example Domain\n${home}\n\nFor use in examples.\n\nElements:\n[e1] a "More information"`,
    );
    expect(await use(tool, 'click', { ref: 'e1' })).toContain('Reserved domains.');
    expect(await use(tool, 'look', {})).toContain('Reserved domains.');
  });

  test('is asked for once, in the form that its service documents, and ends with the response', async () => {
    const service = await start();
    const tool = await open(service.url);
    await Promise.all([use(tool, 'navigate', { url: home }), use(tool, 'look', {})]);
    expect(service.requests.map((query) => Object.fromEntries(query))).toEqual([
      {
        os: 'Linux',
        browser: 'chromium',
        playwrightVersion: 'cdp',
        shouldRedirect: 'false',
        runId: expect.any(String),
      },
    ]);
    tool.close?.();
    await vi.waitFor(() => expect(service.connected).toBe(0));
    expect(service.commands.at(-1)?.method).toBe('Browser.close');
  });

  test('that goes away makes a failed call, and the next call has another', async () => {
    let isToDie = true;
    const service = await start({
      intercept(method, socket) {
        if (method !== 'Page.navigate' || !isToDie) return undefined;
        isToDie = false;
        socket.terminate();
        return null;
      },
    });
    const tool = await open(service.url);
    await expect(use(tool, 'navigate', { url: home })).rejects.toThrow('The browser has gone away.');
    expect(await use(tool, 'navigate', { url: home })).toContain('Example Domain');
    expect(service.requests).toHaveLength(2);
  });

  test('types what it is told', async () => {
    const service = await start();
    const tool = await open(service.url);
    await use(tool, 'navigate', { url: home });
    await use(tool, 'type', { ref: 'e1', text: 'hello', submit: true });
    const typed = service.commands.filter(({ method }) => method.startsWith('Input.'));
    expect(typed).toMatchObject([
      { method: 'Input.insertText', params: { text: 'hello' } },
      { params: { type: 'keyDown', key: 'Enter' } },
      { params: { type: 'keyUp', key: 'Enter' } },
    ]);
  });

  test.each<[string, string, object, RegExp]>([
    ['an element that is not there', 'click', { ref: 'e9' }, /no element 'e9'/],
    ['a page that is not there', 'navigate', { url: 'https://nowhere.example/' }, /ERR_NAME_NOT_RESOLVED/],
    ['a file', 'navigate', { url: 'file:///etc/passwd' }, /http and https only/],
    ['a metadata service', 'navigate', { url: 'http://169.254.169.254/' }, /may not reach/],
    ['nothing', 'navigate', {}, /'url' is missing/],
  ])('can not open %s', async (_, name, given, message) => {
    const tool = await open((await start()).url);
    await expect(use(tool, name, given)).rejects.toThrow(message);
  });

  test.each<[object, RegExp]>([
    [{ error: { code: -32000, message: 'Not allowed' } }, /^The browser answered: Not allowed$/],
    [{ result: { exceptionDetails: { text: 'Uncaught' } } }, /could not be read/],
  ])('that answers with %j makes a failed call', async (answer, message) => {
    const intercept = (method: string) => (method === 'Runtime.callFunctionOn' ? answer : undefined);
    const tool = await open((await start({ intercept })).url);
    await expect(use(tool, 'look', {})).rejects.toThrow(message);
  });

  test('that says more than it was asked is not minded', async () => {
    const noise = ['nonsense', '[]', '{"id":{}}', '{"id":999,"result":{}}', '{"method":{},"sessionId":{}}'];
    const intercept: PlaywrightServiceOptions['intercept'] = (_, socket) => {
      for (const each of noise) socket.send(each);
      return undefined;
    };
    const tool = await open((await start({ intercept })).url);
    expect(await use(tool, 'navigate', { url: home })).toContain('Example Domain');
  });

  test('that hangs is left with the signal of the call', async () => {
    const service = await start({ intercept: (method) => (method === 'Page.navigate' ? null : undefined) });
    const tool = await open(service.url);
    await expect(use(tool, 'navigate', { url: home }, AbortSignal.timeout(200))).rejects.toThrow(/timeout/);
  });
});

describe('a workspace', () => {
  test.each<[string, AnswerRequest, RegExp]>([
    ['does not take the token', json({ message: `No ${token}` }, 401), /answered 401\. No \[redacted\]/],
    ['has had enough', json({}, 429), /answered 429/],
    ['fails', json({}, 500), /answered 500/],
    ['answers with no JSON', (response) => void response.end('<html>'), /not the JSON/],
    ['has no browser', json({}), /without a 'sessionUrl'/],
    ['names no WebSocket', json({ sessionUrl: 'file:///x' }), /without a 'sessionUrl'/],
    ['leads to where tools may not go', json({ sessionUrl: 'ws://169.254.169.254/' }), /may not reach/],
    [
      'leads to nothing',
      json({ sessionUrl: 'ws://127.0.0.1:9/?key=k' }),
      /^The browser .* could not be reached\.$/,
    ],
  ])('that %s makes a failed call', async (_, answer, message) => {
    const server = await httpServer(answer);
    closers.push(() => server.close());
    const tool = await open(`${server.url.replace('http', 'ws')}/playwrightworkspaces/w/browsers`);
    await expect(use(tool, 'look', {})).rejects.toThrow(message);
  });
});

describe('a response', () => {
  const visit: Turn = [...calls('a', 'browser_navigate', `{"url":"${home}"}`), finish('tool_calls')];
  const answer: Turn = [...says('It says so.'), finish()];

  async function app(...turns: Turn[]) {
    const service = await start();
    const model = scriptedModel(...turns);
    const whole: WholeApp = await wholeApp({ m: model.provider }, { tools: toolsWith(service.url, key) });
    closers.push(() => whole.close());
    const create = (tool: object, more: object = {}) =>
      whole.call('POST', '/openai/v1/responses', { model: 'm', input: 'Go.', tools: [tool], ...more });
    return { service, model, create };
  }

  test.each([
    ['browser_automation', 'remote_function_call'],
    ['browser_automation_preview', 'browser_automation_preview_call'],
  ])('with %s has items of the type %s', async (type, itemType) => {
    const { create, model, service } = await app(visit, answer, answer);
    const { json } = await create(definitionOf(type));
    expect(json.output).toMatchObject([
      { type: itemType, name: 'browser_navigate', arguments: `{"url":"${home}"}`, status: 'completed' },
      { type: `${itemType}_output`, name: 'browser_navigate', output: expect.stringContaining('For use in') },
      { type: 'message' },
    ]);
    await vi.waitFor(() => expect(service.connected).toBe(0));
    await create(definitionOf(type), { previous_response_id: json.id });
    expect(model.requests[2]?.messages[2]).toMatchObject({ output: expect.stringContaining('For use in') });
  });

  test('with a connection that is not there is refused before the model is asked', async () => {
    const { create, model } = await app();
    const { status, json } = await create(definitionOf('browser_automation', 'other'));
    expect([status, json.error]).toMatchObject([
      400,
      {
        message: expect.stringContaining("No connection 'other'"),
        param: expect.stringContaining('connection_id'),
      },
    ]);
    expect(model.requests).toEqual([]);
  });
});

test.each<[string, ConnectionCredentials, RegExp]>([
  ['_', key, /names no Playwright workspace/],
  ['https://a.example/', key, /names no Playwright workspace/],
  ['wss://a.example/playwrightworkspaces/w/browsers', { type: 'None' }, /no token for Playwright workspaces/],
  ['ws://169.254.169.254/playwrightworkspaces/w/browsers', key, /may not reach/],
])('the target %s with %j is refused', async (target, credentials, message) => {
  await expect(open(target, credentials)).rejects.toMatchObject({
    status: 400,
    target: 'tools[0].browser_automation.connection.project_connection_id',
    message: expect.stringMatching(message),
  });
});
