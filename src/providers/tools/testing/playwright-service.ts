import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface PlaywrightService {
  /** The address of the workspace, as its portal shows it. */
  url: string;
  /** Queries by which browsers were asked for. */
  requests: URLSearchParams[];
  /** Commands that browsers were sent, and how many are connected. */
  commands: { method: string; params: Record<string, unknown> }[];
  readonly connected: number;
  close(): Promise<void>;
}

export interface ScriptedPage {
  title: string;
  text: string;
  elements?: { ref: string; kind: string; label: string; value?: string }[];
  /** Where a click on any element leads. */
  leadsTo?: string;
}

export interface PlaywrightServiceOptions {
  token: string;
  /** By address. */
  pages?: Record<string, ScriptedPage>;
  /** The address of a browser instead of the scripted one. */
  browserUrl?: string;
  /** What is answered to a command instead; undefined for the usual. */
  intercept?(method: string, socket: WebSocket): object | null | undefined;
}

/** A workspace of the Playwright service. Its browser has pages without scripts, and knows the commands that we send. */
export async function playwrightService(options: PlaywrightServiceOptions): Promise<PlaywrightService> {
  const { token, pages = {}, browserUrl, intercept } = options;
  const requests: URLSearchParams[] = [];
  const commands: PlaywrightService['commands'] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://a');
    const send = (value: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.headers.authorization !== `Bearer ${token}`) return send({ message: 'Unauthorized' }, 401);
    if (url.pathname !== '/playwrightworkspaces/ws-1/browsers') return send({ message: 'Not found' }, 404);
    requests.push(url.searchParams);
    send({ sessionUrl: browserUrl ?? `ws://127.0.0.1:${port()}/session?key=secret-session` });
  });
  const port = () => (server.address() as AddressInfo).port;
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => serve(opened));
  });
  function serve(socket: WebSocket): void {
    let address = 'about:blank';
    socket.on('message', (data) => {
      const { id, method, params, sessionId } = JSON.parse(String(data));
      commands.push({ method, params });
      const other = intercept?.(method, socket);
      if (other === null) return;
      if (method === 'Browser.close') return socket.close();
      if (method === 'Page.navigate' && pages[params.url] !== undefined) address = params.url;
      const page = pages[address];
      if (method === 'Input.dispatchMouseEvent' && params.type === 'mouseReleased') {
        address = page?.leadsTo ?? address;
      }
      const answer = other ?? { result: resultOf(method, params, address, pages) };
      socket.send(JSON.stringify({ id, sessionId, ...answer }));
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${port()}/playwrightworkspaces/ws-1/browsers`,
    requests,
    commands,
    get connected() {
      return sockets.clients.size;
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function resultOf(
  method: string,
  params: Record<string, unknown>,
  address: string,
  pages: Record<string, ScriptedPage>,
): object {
  switch (method) {
    case 'Target.createTarget':
      return { targetId: 'target-1' };
    case 'Target.attachToTarget':
      return { sessionId: 'session-1' };
    case 'Page.getFrameTree':
      return { frameTree: { frame: { id: 'frame-1' } } };
    case 'Page.createIsolatedWorld':
      return { executionContextId: 7 };
    case 'Page.navigate':
      return pages[String(params.url)] === undefined ? { errorText: 'net::ERR_NAME_NOT_RESOLVED' } : {};
    case 'Runtime.callFunctionOn':
      return { result: { value: inPage(params, address, pages[address]) } };
    default:
      return {};
  }
}

function inPage(
  { functionDeclaration, arguments: given }: Record<string, unknown>,
  url: string,
  page: ScriptedPage | undefined,
): unknown {
  const name = /^function (\w+)/.exec(String(functionDeclaration))?.[1];
  const { title = '', text = '', elements = [] } = page ?? {};
  if (name === 'readyState') return { state: 'complete' };
  if (name === 'lookAtPage') return { url, title, text, isClipped: false, elements };
  const [ref] = given as { value: unknown }[];
  if (!elements.some((element) => element.ref === ref?.value)) return null;
  return name === 'placeOfElement' ? { x: 10, y: 20 } : {};
}
