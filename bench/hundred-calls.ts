import { join } from 'node:path';
import { openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import {
  launchWithTool,
  plainScript,
  requireCalls,
  type ScriptedTarget,
  startScripted,
  wordyStepScript,
} from './servers.ts';
import { median } from './statistics.ts';

export interface HundredCalls {
  /** The median time of a response with so many calls, one in each turn, in milliseconds. */
  responses: { calls: number; milliseconds: number }[];
  /** How long the most calls take by what as many would if each took as long as with the fewest; 1 is linear. */
  growth: number;
}

const counts = [25, 50, 100] as const;
const leastRounds = 10;
const warmUpRounds = 20;

/** Responses with 25, 50 and 100 calls in turn, on one connection; the tool and the model answer at once. */
export async function measureHundredCalls(
  directory: string,
  onStart: (server: ScriptedTarget) => void,
  seconds: number,
): Promise<HundredCalls> {
  const input = (calls: number) => `bench: ${calls} steps`;
  const script = [...wordyStepScript(counts.map((turns) => ({ input: input(turns), turns }))), plainScript];
  const server = await startScripted(launchWithTool, join(directory, 'hundred-calls'), script);
  onStart(server);
  const connection = await openConnection(server.port);
  const kinds = counts.map((calls) => ({
    calls,
    request: server.ask({ input: input(calls), tools: [{ type: 'scripted', functions: ['step'] }] }),
    times: [] as number[],
  }));
  const round = async (keep: boolean) => {
    for (const { calls, request, times } of kinds) {
      const answer = succeeded(await connection.ask(request));
      requireCalls(answer.text(), 'mcp_call', calls);
      if (keep) times.push(answer.lastByte);
    }
  };
  for (let i = 0; i < warmUpRounds; i++) await round(false);
  const end = performance.now() + seconds * 1000;
  for (let i = 0; i < leastRounds || performance.now() < end; i++) await round(true);
  connection.close();
  await server.stop();
  const responses = kinds.map(({ calls, times }) => ({ calls, milliseconds: median(times) }));
  const each = ({ calls, milliseconds }: { calls: number; milliseconds: number }) => milliseconds / calls;
  const [fewest, most] = [responses[0], responses.at(-1)];
  if (fewest === undefined || most === undefined) throw new Error('Nothing was measured.');
  return { responses, growth: each(most) / each(fewest) };
}
