import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel } from '../../../families/testing/scripted-model.ts';
import { wholeApp } from '../../../families/testing/whole-app.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import type { ServerTool, ToolContext } from '../tool.ts';
import { mcpTool } from './mcp-tool.ts';
import { type SessionPoolOptions, sessionPool } from './session-pool.ts';
import { mcpTestServer, type TestServer, type TestServerOptions } from './testing/mcp-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const echo = { name: 'echo', run: ({ text }: Record<string, unknown>) => String(text) };

async function server(options: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const made = await mcpTestServer({ tools: [echo], ...options });
  closers.push(made.close);
  return made;
}

function tool(sessions: SessionPoolOptions = {}, connections = fixedConnections({})): ServerTool {
  const made = mcpTool({ outbound: loopbackOutbound, connections }, sessionPool(loopbackOutbound, sessions));
  closers.push(() => made.close?.());
  return made;
}

const definition = (one: TestServer, rest: object = {}) => ({
  type: 'mcp',
  server_label: 'one',
  server_url: one.url,
  require_approval: 'never',
  ...rest,
});

const never = new AbortController().signal;
const begun = (one: TestServer) =>
  one.requests.filter(({ rpc }) => rpc === 'notifications/initialized').length;

/** What a response does: lists, and leaves the tool open until it is closed. */
async function listed(of: ServerTool, given: object, context: Partial<ToolContext> = {}) {
  const open = await opened(of, given, context);
  await open.announcement?.run(never);
  return open;
}

/** A whole response with one call. */
async function responds(of: ServerTool, given: object, context: Partial<ToolContext> = {}): Promise<string> {
  const open = await listed(of, given, context);
  const { output } = await called(open, 'echo', { text: 'hello' });
  open.close?.();
  return output;
}

/** The listing of an earlier response, so that the first thing asked for is the call. */
const known = { type: 'mcp_list_tools', server_label: 'one', tools: [{ name: 'echo', input_schema: {} }] };

describe.each(['streamable', 'json', 'older'] as const)('with a server of the kind %s', (kind) => {
  test('two responses share a session, and each lists anew', async () => {
    const one = await server({ kind });
    const model = scriptedModel(
      ...[1, 2].flatMap(() => [
        [...calls('call_x', 'echo', '{"text":"hello"}'), finish('tool_calls')],
        [...says('Done.'), finish()],
      ]),
    );
    const app = await wholeApp({ 'my-model': model.provider }, { tools: [tool()] });
    closers.push(app.close);
    for (let i = 0; i < 2; i++) {
      const { json } = await app.call('POST', '/openai/v1/responses', {
        model: 'my-model',
        input: 'Go.',
        tools: [definition(one)],
      });
      expect(json.output).toMatchObject([
        { type: 'mcp_list_tools', error: null, tools: [{ name: 'echo' }] },
        { type: 'mcp_call', output: 'hello' },
        { type: 'message' },
      ]);
    }
    expect([begun(one), one.listings, one.sessions]).toEqual([1, 2, 1]);
    await app.drain(0);
    await expect.poll(() => one.sessions).toBe(0);
  });

  test('responses at once do, too', async () => {
    const one = await server({ kind });
    const shared = tool();
    const answers = await Promise.all(Array.from({ length: 20 }, () => responds(shared, definition(one))));
    expect(answers).toEqual(Array(20).fill('hello'));
    expect(begun(one)).toBe(1);
  });
});

describe('a session is not shared', () => {
  test.each<[string, object, Partial<ToolContext>]>([
    ['with another project', {}, { project: 'other' }],
    ['with another user', {}, { userIdentity: 'someone' }],
    ['with other headers', { headers: { 'X-Org': 'other' } }, {}],
    ['with another authorization', { authorization: 'other' }, {}],
    ['over another connection', { project_connection_id: 'desk' }, {}],
  ])('%s', async (_, rest, context) => {
    const one = await server();
    const connections = fixedConnections({ desk: { target: one.url, credentials: { type: 'None' } } });
    const shared = tool({}, connections);
    await responds(shared, definition(one));
    await responds(shared, definition(one, rest), context);
    expect(begun(one)).toBe(2);
    await responds(shared, definition(one, rest), context);
    await responds(shared, definition(one));
    expect(begun(one)).toBe(2);
  });

  test('with another address', async () => {
    const one = await server();
    const shared = tool();
    await responds(shared, definition(one));
    await responds(shared, definition(one, { server_url: `${one.url}?a=1` }));
    expect(begun(one)).toBe(2);
  });

  test('over an address that has been forbidden meanwhile', async () => {
    const one = await server();
    let allowed = true;
    const outbound: typeof loopbackOutbound = {
      ...loopbackOutbound,
      async check(url, target) {
        if (!allowed) throw new Error('forbidden');
        await loopbackOutbound.check(url, target);
      },
    };
    const shared = mcpTool({ outbound, connections: fixedConnections({}) }, sessionPool(outbound));
    closers.push(() => shared.close?.());
    await responds(shared, definition(one));
    allowed = false;
    await expect(responds(shared, definition(one))).rejects.toThrow('forbidden');
  });
});

describe('a session that has died meanwhile is begun anew', () => {
  /** Some servers, those of the SDK's examples among them, say 400 where the protocol says 404. */
  const says400: TestServerOptions['intercept'] = (request, reply, message) => {
    const refused = isForgotten && request.headers['mcp-session-id'] === first;
    if (message?.method === 'notifications/initialized') first ??= request.headers['mcp-session-id'];
    if (refused) reply.writeHead(400).end('No valid session ID provided');
    return refused;
  };
  let first: unknown;
  let isForgotten = false;

  test.each<[string, Partial<TestServerOptions>, (one: TestServer) => void]>([
    ['forgotten by its server', {}, (one) => one.forget()],
    [
      'refused with another status',
      { intercept: says400 },
      () => {
        isForgotten = true;
      },
    ],
    ['of a connection that broke', { kind: 'older' }, (one) => one.cut()],
  ])('%s', async (_, options, die) => {
    for (const context of [[], [known]]) {
      first = undefined;
      isForgotten = false;
      const one = await server(options);
      const shared = tool();
      await responds(shared, definition(one));
      die(one);
      await expect.poll(() => (options.kind === 'older' ? one.sessions : 0)).toBe(0);
      expect(await responds(shared, definition(one), { context })).toBe('hello');
      expect([begun(one), one.calls.length]).toEqual([2, 2]);
    }
  });

  test('of a server that leaves pings unanswered', async () => {
    const one = await server({ intercept: (_request, _reply, message) => message?.method === 'ping' });
    const shared = tool();
    await responds(shared, definition(one));
    expect(await responds(shared, definition(one), { context: [known] })).toBe('hello');
    expect([begun(one), one.calls.length]).toEqual([2, 2]);
  });

  test('and is not called twice where nobody knows whether the call was run', async () => {
    const run = () => {
      if (one.calls.length !== 2) return 'hello';
      setImmediate(() => one.cut());
      return new Promise(() => {});
    };
    const one: TestServer = await server({ tools: [{ name: 'echo', run }] });
    const shared = tool();
    await responds(shared, definition(one));
    await expect(responds(shared, definition(one), { context: [known] })).rejects.toThrow();
    expect(one.calls).toHaveLength(2);
    await responds(shared, definition(one));
    expect(begun(one)).toBe(2);
  });
});

describe('a session that nobody uses', () => {
  test('is ended after a while, and not while somebody does', async () => {
    const one = await server();
    const waiting = new Set<() => void>();
    const times: number[] = [];
    const shared = tool({
      idleMilliseconds: 1234,
      later(milliseconds, run) {
        times.push(milliseconds);
        waiting.add(run);
        return () => void waiting.delete(run);
      },
    });
    const open = await listed(shared, definition(one));
    await responds(shared, definition(one));
    expect(waiting.size).toBe(0);
    open.close?.();
    open.close?.();
    expect([times, waiting.size]).toEqual([[1234], 1]);
    await responds(shared, definition(one));
    expect([times, waiting.size, begun(one)]).toEqual([[1234, 1234], 1, 1]);
    for (const run of waiting) run();
    await expect.poll(() => one.sessions).toBe(0);
    expect(await responds(shared, definition(one))).toBe('hello');
    expect(begun(one)).toBe(2);
  });

  test('is ended where there are too many, the one that was used least lately first', async () => {
    const one = await server();
    const shared = tool({ most: 2 });
    const by = (org: string) => definition(one, { headers: { 'X-Org': org } });
    const open = await listed(shared, by('a'));
    await responds(shared, by('b'));
    await responds(shared, by('c'));
    await expect.poll(() => one.sessions).toBe(2);
    expect((await called(open, 'echo', { text: 'still here' })).output).toBe('still here');
    await responds(shared, by('a'));
    await responds(shared, by('c'));
    expect(begun(one)).toBe(3);
    await responds(shared, by('b'));
    expect(begun(one)).toBe(4);
    open.close?.();
  });

  test('makes way also where all are in use, and those go on', async () => {
    const one = await server();
    const shared = tool({ most: 1 });
    const by = (org: string) => definition(one, { headers: { 'X-Org': org } });
    const first = await listed(shared, by('a'));
    const second = await listed(shared, by('b'));
    expect(one.sessions).toBe(2);
    expect((await called(first, 'echo', { text: 'x' })).output).toBe('x');
    first.close?.();
    await expect.poll(() => one.sessions).toBe(1);
    second.close?.();
  });
});

describe('one response does not disturb another', () => {
  const slow = () => {
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<string>();
    const run = ({ text }: Record<string, unknown>) => {
      reached.resolve();
      return text === 'slow' ? go.promise : String(text);
    };
    return { tools: [{ name: 'echo', run }], reached: reached.promise, go: go.resolve };
  };

  test.each(['streamable', 'older'] as const)('by being cancelled (%s)', async (kind) => {
    const { tools, reached, go } = slow();
    const one = await server({ kind, tools });
    const shared = tool();
    const [first, second] = [await listed(shared, definition(one)), await listed(shared, definition(one))];
    const cancel = new AbortController();
    const gone = called(first, 'echo', { text: 'slow' }, cancel.signal);
    const there = called(second, 'echo', { text: 'slow' });
    await reached;
    await expect.poll(() => one.calls.length).toBe(2);
    cancel.abort(new Error('cancelled'));
    await expect(gone).rejects.toThrow('cancelled');
    first.close?.();
    await expect
      .poll(() => one.requests.filter(({ rpc }) => rpc === 'notifications/cancelled').length)
      .toBe(1);
    go('done');
    expect((await there).output).toBe('done');
    second.close?.();
    expect(await responds(shared, definition(one))).toBe('hello');
    expect(begun(one)).toBe(1);
  });

  test('by a call that fails', async () => {
    const { tools, reached, go } = slow();
    const one = await server({
      tools,
      intercept(_, reply, message) {
        const fails = (message?.params as { arguments?: { text?: string } })?.arguments?.text === 'fail';
        if (fails) reply.writeHead(500).end();
        return fails;
      },
    });
    const shared = tool();
    const [first, second] = [await listed(shared, definition(one)), await listed(shared, definition(one))];
    const there = called(second, 'echo', { text: 'slow' });
    await reached;
    await expect(called(first, 'echo', { text: 'fail' })).rejects.toThrow('HTTP 500');
    expect((await called(first, 'echo', { text: 'again' })).output).toBe('again');
    expect(begun(one)).toBe(2);
    go('done');
    expect((await there).output).toBe('done');
    first.close?.();
    second.close?.();
    await expect.poll(() => one.sessions).toBe(1);
  });

  test('by a call that took too long: the next gets another session', async () => {
    const { tools } = slow();
    const one = await server({ tools });
    const shared = tool();
    const first = await listed(shared, definition(one));
    const late = called(first, 'echo', { text: 'slow' }, AbortSignal.timeout(50));
    await expect(late).rejects.toThrow('timeout');
    await responds(shared, definition(one));
    expect(begun(one)).toBe(2);
    expect((await called(first, 'echo', { text: 'mine' })).output).toBe('mine');
    expect(begun(one)).toBe(2);
    first.close?.();
    await expect.poll(() => one.sessions).toBe(1);
  });

  test('by the end of the time of a call that was answered', async () => {
    const one = await server();
    const open = await listed(tool(), definition(one));
    const time = new AbortController();
    await called(open, 'echo', { text: 'x' }, time.signal);
    time.abort();
    await called(open, 'echo', { text: 'y' });
    expect(one.requests.map(({ rpc }) => rpc)).not.toContain('notifications/cancelled');
    open.close?.();
  });
});

describe('what a server leaves open is ended', () => {
  const streams = (events: (id: number) => string) => {
    const ended = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const intercept: TestServerOptions['intercept'] = (_, reply: ServerResponse, message) => {
      if (message?.method !== 'tools/call') return false;
      reply.on('close', ended.resolve);
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(events(message.id ?? 0));
      reached.resolve();
      return true;
    };
    return { intercept, ended: ended.promise, reached: reached.promise };
  };

  test('behind its answer', async () => {
    const { intercept, ended } = streams((id) => {
      const result = { content: [{ type: 'text', text: 'here' }] };
      return `data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;
    });
    const one = await server({ intercept });
    expect(await responds(tool(), definition(one))).toBe('here');
    await ended;
    expect(one.sessions).toBe(1);
  });

  test.each([': nothing yet\n\n', 'id: 1\ndata:\n\n'])('when nobody waits any more: %j', async (events) => {
    const { intercept, ended, reached } = streams(() => events);
    const one = await server({ intercept });
    const open = await listed(tool(), definition(one));
    const cancel = new AbortController();
    const call = called(open, 'echo', { text: 'x' }, cancel.signal);
    await reached;
    cancel.abort(new Error('cancelled'));
    await expect(call).rejects.toThrow('cancelled');
    await ended;
    open.close?.();
    expect(one.sessions).toBe(1);
  });
});

describe('when the server stops', () => {
  test('no session is begun any more', async () => {
    const one = await server();
    const shared = tool();
    const open = await listed(shared, definition(one));
    await shared.close?.();
    await expect.poll(() => one.sessions).toBe(0);
    open.close?.();
    await expect(responds(shared, definition(one))).rejects.toThrow('The server is stopping.');
  });

  test.each(['initialize', undefined])('a server that hangs is not waited for (%s)', async (method) => {
    const ended = Promise.withResolvers<void>();
    const one = await server({
      intercept(request, reply, message) {
        const hangs = method === undefined ? request.method === 'DELETE' : message?.method === method;
        if (hangs) reply.on('close', ended.resolve);
        return hangs;
      },
    });
    const shared = tool();
    const waits = responds(shared, definition(one)).catch((error: Error) => error.message);
    if (method === undefined) await waits;
    else await expect.poll(() => one.requests.length).toBe(1);
    await shared.close?.();
    await ended.promise;
    await waits;
  });
});
