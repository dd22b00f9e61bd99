import { join } from 'node:path';
import { openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import {
  launchWithTool,
  plainScript,
  requireCalls,
  type ScriptedTarget,
  startScripted,
  stepScript,
} from './servers.ts';
import { median } from './statistics.ts';

export interface ToolLoop {
  /** Medians in milliseconds: of a response without a call, and of one with `turns` turns that end in a call. */
  plain: number;
  loop: number;
  turns: number;
  /** What one more turn costs: the model's turn, the tool's run, its items and events. */
  turnMilliseconds: number;
}

const turns = 32;
const leastLoops = 20;
const warmUpLoops = 30;

/** Responses of one turn and of many, in turn, on one connection; the tool and the model answer at once. */
export async function measureToolLoop(
  directory: string,
  onStart: (server: ScriptedTarget) => void,
  seconds: number,
): Promise<ToolLoop> {
  const script = [...stepScript('bench: steps', turns), plainScript];
  const server = await startScripted(launchWithTool, join(directory, 'tool-loop'), script);
  onStart(server);
  const connection = await openConnection(server.port);
  const tools = [{ type: 'scripted', functions: ['step'] }];
  const kinds = {
    plain: { request: server.ask({ input: 'bench: nothing', tools }), calls: 0, times: [] as number[] },
    loop: { request: server.ask({ input: 'bench: steps', tools }), calls: turns, times: [] as number[] },
  };
  const ask = async (kind: keyof typeof kinds, keep: boolean) => {
    const { request, calls, times } = kinds[kind];
    const answer = succeeded(await connection.ask(request));
    requireCalls(answer.text(), 'mcp_call', calls);
    if (keep) times.push(answer.lastByte);
  };
  for (let i = 0; i < warmUpLoops; i++) {
    await ask('plain', false);
    await ask('loop', false);
  }
  const end = performance.now() + seconds * 1000;
  for (let i = 0; i < leastLoops || performance.now() < end; i++) {
    await ask('plain', true);
    await ask('loop', true);
  }
  connection.close();
  await server.stop();
  const [plain, loop] = [median(kinds.plain.times), median(kinds.loop.times)];
  return { plain, loop, turns, turnMilliseconds: (loop - plain) / turns };
}
