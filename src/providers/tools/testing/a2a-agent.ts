import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { AgentCard, Message, Task } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';

export interface TestAgent {
  url: string;
  requests: { path: string; headers: Record<string, string | string[] | undefined> }[];
  canceled: string[];
  close(): Promise<void>;
}

export interface TestAgentOptions {
  /** What the agent does with a message; it publishes messages or tasks. */
  execute(context: RequestContext, bus: ExecutionEventBus): void | Promise<void>;
  /** Members of its card, as they are on the wire. */
  card?: object;
  binding?: 'JSONRPC' | 'HTTP+JSON';
  /** Where the agent says it is, of its own address. */
  interfaceUrl?(url: string): string;
}

type App = RequestListener & { use(...handlers: unknown[]): void };
/** It comes without types. */
const express = createRequire(import.meta.url)('express') as () => App;

/** An agent of the A2A protocol, made with its SDK, on a free port. */
export async function testAgent(options: TestAgentOptions): Promise<TestAgent> {
  const requests: TestAgent['requests'] = [];
  const canceled: string[] = [];
  const app = express();
  app.use((request: IncomingMessage, _response: unknown, next: () => void) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    next();
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { binding = 'JSONRPC', interfaceUrl = (own) => own } = options;
  const card = {
    name: 'Weather Agent',
    description: 'Knows the weather.',
    supportedInterfaces: [
      { url: interfaceUrl(`${url}/a2a`), protocolBinding: binding, tenant: '', protocolVersion: '1.0' },
    ],
    version: '1.0.0',
    capabilities: { streaming: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
    signatures: [],
    provider: undefined,
    ...options.card,
  } as AgentCard;
  const executor: AgentExecutor = {
    execute: async (context, bus) => options.execute(context, bus),
    async cancelTask(taskId) {
      canceled.push(taskId);
    },
  };
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
  const handlers = { requestHandler, userBuilder: UserBuilder.noAuthentication };
  const cards = agentCardHandler({ agentCardProvider: requestHandler });
  app.use('/.well-known/agent-card.json', cards);
  app.use('/elsewhere/card.json', cards);
  app.use('/a2a', binding === 'JSONRPC' ? jsonRpcHandler(handlers) : restHandler(handlers));
  return {
    url,
    requests,
    canceled,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const part = (text: string) => ({
  content: { $case: 'text' as const, value: text },
  metadata: undefined,
  filename: '',
  mediaType: 'text/plain',
});

export const agentMessage = (
  text: string,
  { contextId, taskId }: RequestContext,
  ofTask = false,
): Message => ({
  messageId: crypto.randomUUID(),
  contextId,
  taskId: ofTask ? taskId : '',
  role: 2,
  parts: [part(text)],
  metadata: undefined,
  extensions: [],
  referenceTaskIds: [],
});

/** A task in a state of the protocol, with what the agent says of it and what it has made. */
export const agentTask = (
  context: RequestContext,
  state: number,
  { says, made = [] }: { says?: string; made?: string[] } = {},
): Task => ({
  id: context.taskId,
  contextId: context.contextId,
  status: {
    state,
    message: says === undefined ? undefined : agentMessage(says, context, true),
    timestamp: undefined,
  },
  artifacts: made.map((text, i) => ({
    artifactId: String(i),
    name: '',
    description: '',
    parts: [part(text)],
    metadata: undefined,
    extensions: [],
  })),
  history: [],
  metadata: undefined,
});

export const answersMessage =
  (text: (question: string) => string): TestAgentOptions['execute'] =>
  (context, bus) => {
    bus.publish(AgentEvent.message(agentMessage(text(questionIn(context)), context)));
    bus.finished();
  };

export const questionIn = ({ userMessage }: RequestContext): string => {
  const content = userMessage.parts[0]?.content;
  return content?.$case === 'text' ? content.value : '';
};
