/** `npm run bench`: Bloomery against a bare server on the same machine in the same run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCodeInterpreter } from './code-interpreter.ts';
import { separateCores, shareCores } from './cores.ts';
import { measureFiles } from './files.ts';
import { measureHundredCalls } from './hundred-calls.ts';
import { measureIngestion } from './ingestion.ts';
import { killLaunched } from './launch.ts';
import { measureMcp } from './mcp.ts';
import { type Figures, jsonLine, remarks, report } from './report.ts';
import { measureResume } from './resume.ts';
import { measureSearch } from './search.ts';
import { measureSearchQuality } from './search-quality.ts';
import { defaultEntry, startBloomery, startFloor } from './servers.ts';
import { measureStartUp } from './start-up.ts';
import { measureStreaming } from './streaming.ts';
import { measureStreams } from './streams.ts';
import { measureThroughput } from './throughput.ts';
import { measureToolLoop } from './tool-loop.ts';

/** In the order that they are told in. */
const cases = {
  start: { hasFloor: false, onlyIfNamed: false },
  agent_get: { hasFloor: true, onlyIfNamed: false },
  stream: { hasFloor: true, onlyIfNamed: false },
  stored_response: { hasFloor: true, onlyIfNamed: false },
  tool_loop: { hasFloor: false, onlyIfNamed: false },
  streams: { hasFloor: true, onlyIfNamed: false },
  resume: { hasFloor: true, onlyIfNamed: false },
  mcp: { hasFloor: false, onlyIfNamed: false },
  hundred_calls: { hasFloor: false, onlyIfNamed: false },
  // These take a while and say little of the others.
  code_interpreter: { hasFloor: false, onlyIfNamed: true },
  search: { hasFloor: false, onlyIfNamed: true },
  search_quality: { hasFloor: false, onlyIfNamed: true },
  files: { hasFloor: false, onlyIfNamed: true },
  ingestion: { hasFloor: false, onlyIfNamed: true },
};
type CaseName = keyof typeof cases;
const caseNames = Object.keys(cases) as CaseName[];
const usualCases = caseNames.filter((name) => !cases[name].onlyIfNamed);

const usage = `Usage: npm run bench -- [options]

Options:
  --seconds N   how long each case takes, from 1 to 600; 10 unless given
  --case NAME   one case only, or several by repeating it: ${caseNames.join(', ')};
                all but ${caseNames.filter((name) => cases[name].onlyIfNamed).join(', ')} unless given
  --json        print one line of JSON and nothing else
  --peer NAME   what to compare with the floor: bloomery, or floor to see how exact the measurement is
  --entry FILE  the program that starts Bloomery; bin/bloomery.js unless given
`;

interface Options {
  seconds: number;
  wanted: readonly CaseName[];
  json: boolean;
  peer: 'bloomery' | 'floor';
  entry: string;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      case: { type: 'string', multiple: true, default: usualCases },
      json: { type: 'boolean', default: false },
      peer: { type: 'string', default: 'bloomery' },
      entry: { type: 'string', default: defaultEntry },
    },
  });
  const { json, peer, entry } = values;
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds must be a number from 1 to 600.');
  if (peer !== 'bloomery' && peer !== 'floor') throw new Error('--peer must be bloomery or floor.');
  const unknown = values.case.find((name) => !caseNames.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--case must be one of ${caseNames.join(', ')}.`);
  const wanted = caseNames.filter((name) => values.case.includes(name));
  return { seconds, wanted, json, peer, entry: resolve(entry) };
}

async function measure(options: Options, directory: string): Promise<Figures> {
  const { seconds, wanted, json, peer: kind, entry } = options;
  const isWanted = (name: CaseName): boolean => {
    const isMeasured = wanted.includes(name) && (kind === 'bloomery' || cases[name].hasFloor);
    if (isMeasured && !json) process.stderr.write(`Measuring ${name} …\n`);
    return isMeasured;
  };
  const startFloorIn = (name: string, label: string) => startFloor(join(directory, name), label);
  const startPeerIn = (name: string) =>
    kind === 'bloomery'
      ? startBloomery(entry, join(directory, name))
      : startFloorIn(`${name}-floor`, 'second floor');
  let coresSeparate = true;
  const separateTo =
    (most?: number) =>
    (...targets: { pid: number }[]) => {
      const pids = targets.map(({ pid }) => pid);
      coresSeparate = separateCores(pids, most) && coresSeparate;
    };
  const separate = separateTo();

  const startUp = isWanted('start') ? await measureStartUp(entry, directory) : null;
  // Before this process is given a single core: the threads of the index are its own.
  const search = isWanted('search') ? await measureSearch(directory) : null;
  const searchQuality = isWanted('search_quality') ? await measureSearchQuality(directory) : null;
  const floor = await startFloorIn('floor', 'floor');
  const peer = await startPeerIn('peer');
  separate(floor, peer);
  const agentGet = isWanted('agent_get') ? await measureThroughput(floor, peer, 'agentGet', seconds) : null;
  const streaming = isWanted('stream') ? await measureStreaming(floor, peer, seconds) : null;
  const storedResponse = isWanted('stored_response')
    ? await measureThroughput(floor, peer, 'storedResponse', seconds)
    : null;
  const resume = isWanted('resume') ? await measureResume(floor, peer, seconds) : null;
  await Promise.all([floor.stop(), peer.stop()]);
  const streams = isWanted('streams')
    ? await measureStreams(
        { floor: () => startFloorIn('streams-floor', 'floor'), peer: () => startPeerIn('streams-peer') },
        separate,
        seconds,
      )
    : null;
  const toolLoop = isWanted('tool_loop') ? await measureToolLoop(directory, separate, seconds) : null;
  const mcp = isWanted('mcp') ? await measureMcp(entry, directory, separate, seconds) : null;
  const hundredCalls = isWanted('hundred_calls')
    ? await measureHundredCalls(directory, separate, seconds)
    : null;
  const codeInterpreter = isWanted('code_interpreter')
    ? await measureCodeInterpreter(entry, directory, separate)
    : null;
  const files = isWanted('files')
    ? await measureFiles(entry, directory, (server) => shareCores([server.pid]))
    : null;
  const ingestion = isWanted('ingestion') ? await measureIngestion(entry, directory, separateTo(1)) : null;
  return {
    storedResponse,
    agentGet,
    streaming,
    startUp,
    toolLoop,
    streams,
    resume,
    mcp,
    hundredCalls,
    codeInterpreter,
    search,
    searchQuality,
    files,
    ingestion,
    coresSeparate,
  };
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
