import { type HttpServer, httpServer, json } from './http-server.ts';

export interface FabricService extends HttpServer {
  /** Threads that were made and not deleted. */
  readonly threads: number;
}

export interface FabricServiceOptions {
  token: string;
  answer(question: string): string;
  /** The states that a run goes through, one each time that it is asked for. */
  states?: object[];
}

const agentPath = '/workspaces/ws-1/dataagents/agent-1/aiassistant/openai';

/** A data agent of Fabric: the part of the Assistants protocol that it has, for callers with the token. */
export async function fabricService(options: FabricServiceOptions): Promise<FabricService> {
  const { token, answer, states = [{ status: 'queued' }, { status: 'completed' }] } = options;
  const threads = new Map<string, string[]>();
  let polls = 0;
  const run = () => ({ id: 'run_1', ...states[Math.min(polls++, states.length - 1)] });
  const server = await httpServer((response, request) => {
    const send = (value: unknown, status = 200) => json(value, status)(response, request);
    const { pathname, searchParams } = new URL(request.url, 'http://a');
    if (request.headers.authorization !== `Bearer ${token}`) return send({ message: 'Unauthorized' }, 401);
    if (searchParams.get('api-version') !== '2024-05-01-preview' || !pathname.startsWith(agentPath)) {
      return send({ message: 'Not found' }, 404);
    }
    const [kind, id, part, runId] = pathname.slice(agentPath.length + 1).split('/');
    const body = request.body.length === 0 ? {} : JSON.parse(String(request.body));
    const path = `${request.method} ${kind}${id ? '/ID' : ''}${part ? `/${part}` : ''}${runId ? '/ID' : ''}`;
    const said = threads.get(id ?? '');
    if (id !== undefined && said === undefined) return send({ message: 'No such thread' }, 404);
    if (path === 'POST assistants') return send(body.model ? { id: 'asst_1' } : {}, body.model ? 200 : 400);
    if (path === 'POST threads') {
      const made = `thread_${threads.size + 1}`;
      threads.set(made, []);
      return send({ id: made });
    }
    if (path === 'POST threads/ID/messages') {
      said?.push(body.content);
      return send({ id: 'msg_1' });
    }
    if (path === 'POST threads/ID/runs') return send(body.assistant_id === 'asst_1' ? run() : {});
    if (path === 'GET threads/ID/runs/ID') return send(run());
    if (path === 'GET threads/ID/messages') {
      const text = (role: string, value: string) => ({ role, content: [{ type: 'text', text: { value } }] });
      return send({
        data: said?.flatMap((each) => [text('user', each), text('assistant', answer(each))]),
      });
    }
    if (path === 'DELETE threads/ID') threads.delete(id ?? '');
    send({ deleted: true });
  });
  return {
    ...server,
    get threads() {
      return threads.size;
    },
  };
}
