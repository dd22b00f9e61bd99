import { join } from 'node:path';
import { openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import { startWithTool, type ToolTarget, toolTurns } from './servers.ts';
import { median } from './statistics.ts';

export interface ToolLoop {
  /** Medians in milliseconds: of a response without a call, and of one with `turns` turns that end in a call. */
  plain: number;
  loop: number;
  turns: number;
  /** What one more turn costs: the model's turn, the tool's run, its items and events. */
  turnMilliseconds: number;
}

const leastLoops = 20;
const warmUpLoops = 30;

/** Responses of one turn and of many, in turn, on one connection; the tool and the model answer at once. */
export async function measureToolLoop(directory: string, seconds: number): Promise<ToolLoop> {
  const server = await startWithTool(join(directory, 'tool-loop'));
  const connection = await openConnection(server.port);
  const times = { plain: [] as number[], loop: [] as number[] };
  const ask = async (kind: keyof ToolTarget['requests'], keep: boolean) => {
    const answer = succeeded(await connection.ask(server.requests[kind]));
    const calls = answer.text().split('"type":"mcp_call"').length - 1;
    const expected = kind === 'loop' ? toolTurns : 0;
    if (calls !== expected) throw new Error(`The response has ${calls} calls, not ${expected}.`);
    if (keep) times[kind].push(answer.lastByte);
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
  const [plain, loop] = [median(times.plain), median(times.loop)];
  return { plain, loop, turns: toolTurns, turnMilliseconds: (loop - plain) / toolTurns };
}
