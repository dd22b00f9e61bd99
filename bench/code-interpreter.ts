import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import { childrenOf, residentMegabytes } from './process-figures.ts';
import { launchBloomery, requireCalls, type ScriptedTarget, startScripted } from './servers.ts';
import { median } from './statistics.ts';

export interface CodeInterpreter {
  /** From a request to its whole answer, in milliseconds: of a first response on fresh data; medians of the others. */
  coldMilliseconds: number;
  /** The first response of a server that finds what an earlier one has kept on disk. */
  restartedMilliseconds: number;
  /** Responses that each need a process of their own, while one is kept ready. */
  warmMilliseconds: number;
  /** Python processes that are left, idle, and their memory in MB together; null where the system does not tell. */
  idle: { processes: number; megabytes: number } | null;
}

const restarts = 3;
const warmResponses = 8;
/** For the next process to be ready, and for what the last one used to be let go. */
const settleMilliseconds = 3000;

const script = [
  { when: { tool_output: true }, reply: { text: 'Done.' } },
  {
    when: { input: 'bench: code' },
    reply: { tool_calls: [{ name: 'code_interpreter', arguments: { code: 'print(6 * 7)' } }] },
  },
];

/** First results of code, cold and warm; takes about a minute whatever the time for other cases. */
export async function measureCodeInterpreter(
  entry: string,
  directory: string,
  onStart: (server: ScriptedTarget) => void,
): Promise<CodeInterpreter> {
  const start = async () => {
    const server = await startScripted(
      (home, configuration) => launchBloomery(entry, home, configuration),
      join(directory, 'code-interpreter'),
      script,
      { codeInterpreter: { warm: 1 } },
    );
    onStart(server);
    return server;
  };
  const first = await start();
  const coldMilliseconds = await runCode(first);
  await after(settleMilliseconds);
  await first.stop();

  const restarted: number[] = [];
  for (let i = 1; i < restarts; i++) {
    const server = await start();
    restarted.push(await runCode(server));
    await server.stop();
  }
  const server = await start();
  restarted.push(await runCode(server));
  const warm: number[] = [];
  for (let i = 0; i < warmResponses; i++) {
    await after(settleMilliseconds);
    warm.push(await runCode(server));
  }
  await after(settleMilliseconds);
  const idle = idleMemory(server.pid);
  await server.stop();
  return {
    coldMilliseconds,
    restartedMilliseconds: median(restarted),
    warmMilliseconds: median(warm),
    idle,
  };
}

/** A response with code in a container of its own. */
async function runCode({ port, ask }: ScriptedTarget): Promise<number> {
  const connection = await openConnection(port);
  const request = ask({
    input: 'bench: code',
    tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
    include: ['code_interpreter_call.outputs'],
  });
  const answer = succeeded(await connection.ask(request));
  connection.close();
  requireCalls(answer.text(), 'code_interpreter_call', 1);
  if (!answer.text().includes('"logs":"42\\n"')) throw new Error(`The code failed: ${answer.text()}`);
  return answer.lastByte;
}

function idleMemory(pid: number): CodeInterpreter['idle'] {
  const sizes = childrenOf(pid).map(residentMegabytes);
  const known = sizes.filter((size) => size !== null);
  if (known.length === 0) return null;
  return { processes: known.length, megabytes: known.reduce((sum, size) => sum + size, 0) };
}
