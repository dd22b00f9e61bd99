import { notFound } from '../../../errors.ts';
import { fieldValidator } from '../../../kit/validation.ts';
import { createOutbound } from '../../outbound/create-outbound.ts';
import type { ConnectionCredentials, ToolConnections } from '../connections.ts';
import type { OpenTool, ServerTool, ToolContext, ToolEvent, ToolEventType, ToolResult } from '../tool.ts';

export const loopbackOutbound = createOutbound({ allowLoopback: true, allow: [] });

/** Opens a definition as a response does: checked first, with the place `tools[0]`. */
export async function opened(
  tool: ServerTool,
  definition: object,
  context: Partial<ToolContext> = {},
): Promise<OpenTool> {
  fieldValidator(tool.definition)(definition, 'tools[0]');
  let marks = 0;
  return tool.open(definition, {
    project: 'default',
    roles: [],
    key: 'test',
    userIdentity: null,
    include: [],
    headers: {},
    stream: false,
    target: 'tools[0]',
    context: [],
    output: [],
    signal: new AbortController().signal,
    nextMark: () => ++marks,
    image: async (_, target) => {
      throw notFound('file', '', target);
    },
    ...context,
  });
}

export interface FinishedCall extends ToolResult {
  /** Types; events with members of their own whole. */
  events: (ToolEventType | ToolEvent)[];
}

/** Runs a call to its end. */
export async function called(
  open: OpenTool,
  name: string,
  argument: object,
  signal: AbortSignal = AbortSignal.timeout(20_000),
): Promise<FinishedCall> {
  const events: FinishedCall['events'] = [];
  const steps = open.run({ name, arguments: JSON.stringify(argument) }, signal);
  for (;;) {
    const step = await steps.next();
    if (step.done) return { ...step.value, events };
    events.push(step.value);
  }
}

/** Connections that a test has, by name. */
export const fixedConnections = (
  byName: Record<string, { target?: string; credentials: ConnectionCredentials }>,
): ToolConnections => ({
  async get(_project, name, target) {
    const found = Object.hasOwn(byName, name) ? byName[name] : undefined;
    if (found === undefined) throw notFound('connection', name, target);
    const { target: address = '', credentials } = found;
    return { name, type: 'CustomKeys', target: address, credentials, metadata: {} };
  },
});

export const noConnections = { outbound: loopbackOutbound, connections: fixedConnections({}) };
