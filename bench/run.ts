/** `npm run bench`: Bloomery against a bare server on the same machine in the same run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { separateCores } from './cores.ts';
import { killLaunched } from './launch.ts';
import { type Figures, jsonLine, remarks, report } from './report.ts';
import { defaultEntry, startBloomery, startFloor } from './servers.ts';
import { measureStartUp } from './start-up.ts';
import { measureStreaming } from './streaming.ts';
import { measureThroughput } from './throughput.ts';

const usage = `Usage: npm run bench -- [options]

Options:
  --seconds N   how long each case takes, from 1 to 600; 10 unless given
  --json        print one line of JSON and nothing else
  --peer NAME   what to compare with the floor: bloomery, or floor to see how exact the measurement is
  --entry FILE  the program that starts Bloomery; bin/bloomery.js unless given
`;

interface Options {
  seconds: number;
  json: boolean;
  peer: 'bloomery' | 'floor';
  entry: string;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
      peer: { type: 'string', default: 'bloomery' },
      entry: { type: 'string', default: defaultEntry },
    },
  });
  const { json, peer, entry } = values;
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds must be a number from 1 to 600.');
  if (peer !== 'bloomery' && peer !== 'floor') throw new Error('--peer must be bloomery or floor.');
  return { seconds, json, peer, entry: resolve(entry) };
}

async function measure({ seconds, json, peer: kind, entry }: Options, directory: string): Promise<Figures> {
  const say = (what: string) => {
    if (!json) process.stderr.write(`Measuring ${what} …\n`);
  };
  let startUp: Figures['startUp'] = null;
  if (kind === 'bloomery') {
    say('the start');
    startUp = await measureStartUp(entry, directory);
  }
  const floor = await startFloor(join(directory, 'floor'), 'floor');
  const peer = await (kind === 'bloomery'
    ? startBloomery(entry, join(directory, 'bloomery'))
    : startFloor(join(directory, 'second-floor'), 'second floor'));
  const coresSeparate = separateCores([floor.pid, peer.pid]);
  say('agent GET');
  const agentGet = await measureThroughput(floor, peer, 'agentGet', seconds);
  say('streams');
  const streaming = await measureStreaming(floor, peer, seconds);
  say('stored responses');
  const storedResponse = await measureThroughput(floor, peer, 'storedResponse', seconds);
  await Promise.all([floor.stop(), peer.stop()]);
  return { storedResponse, agentGet, streaming, startUp, coresSeparate };
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-bench-'));
  process.on('exit', () => {
    killLaunched();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  try {
    const figures = await measure(options, directory);
    const peer = options.peer === 'bloomery' ? 'bloomery' : 'second floor';
    if (options.json)
      process.stderr.write(
        remarks(figures)
          .map((remark) => `${remark}\n`)
          .join(''),
      );
    process.stdout.write(options.json ? `${jsonLine(figures)}\n` : `\n${report(figures, peer)}`);
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return 1;
  }
}

const exitCode = await main();
process.stdout.write('', () => process.exit(exitCode));
