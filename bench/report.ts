import type { StartUp } from './start-up.ts';
import type { Streaming } from './streaming.ts';
import type { Side, Throughput } from './throughput.ts';

export interface Figures {
  storedResponse: Throughput;
  agentGet: Throughput;
  streaming: Streaming;
  /** Null where the peer is not Bloomery. */
  startUp: StartUp | null;
  /** Whether the load generator had a core of its own. */
  coresSeparate: boolean;
}

const targets = {
  storedResponse: 0.5,
  agentGet: 0.6,
  firstByteMilliseconds: 2,
  startMilliseconds: 700,
  idleMegabytes: 120,
};

/** A waiting server means that others use the cores, and the figures say as much about them. */
const disturbed = 0.1;
/** Below this share the server had spare time, so something else set the pace. */
const saturated = 0.8;

/** The figures as one line of JSON: ratios, and for the stream the difference in milliseconds. */
export function jsonLine({ storedResponse, agentGet, streaming, startUp }: Figures): string {
  return JSON.stringify({
    ratios: {
      stored_response: rounded(storedResponse.ratio, 3),
      agent_get: rounded(agentGet.ratio, 3),
      stream_first_byte: rounded(streaming.firstByteDifference, 3),
    },
    startup_ms: startUp === null ? null : rounded(slowerStart(startUp), 0),
    idle_mb: startUp?.idleMegabytes == null ? null : rounded(startUp.idleMegabytes, 1),
  });
}

/** The figures as tables for people, with what is reached and what is not. */
export function report(figures: Figures, peer: string): string {
  const { storedResponse, agentGet, streaming, startUp } = figures;
  const rows = [
    ['', 'floor', peer, 'ratio', 'target', ''],
    throughputRow('stored response, requests/s', storedResponse, targets.storedResponse),
    throughputRow('agent GET, requests/s', agentGet, targets.agentGet),
    [
      'stream, first byte, ms',
      streaming.floor.firstByte.toFixed(2),
      streaming.peer.firstByte.toFixed(2),
      signed(streaming.firstByteDifference),
      `<= +${targets.firstByteMilliseconds.toFixed(2)}`,
      verdict(streaming.firstByteDifference <= targets.firstByteMilliseconds),
    ],
    [
      'stream, last byte, ms',
      streaming.floor.lastByte.toFixed(2),
      streaming.peer.lastByte.toFixed(2),
      signed(streaming.peer.lastByte - streaming.floor.lastByte),
      '',
      '',
    ],
    ...(startUp === null ? [] : startUpRows(startUp)),
  ];
  const work = [
    ['main thread of the server', 'running', 'waiting', 'µs/request', 'answer bytes'],
    ...Object.entries({ 'stored response': storedResponse, 'agent GET': agentGet }).flatMap(
      ([name, sides]) => [workRow(`${name}, floor`, sides.floor), workRow(`${name}, ${peer}`, sides.peer)],
    ),
  ];
  return `${[table(rows), table(work), ...remarks(figures)].join('\n\n')}\n`;
}

function throughputRow(name: string, { floor, peer, ratio }: Throughput, target: number): string[] {
  return [
    name,
    floor.perSecond.toFixed(0),
    peer.perSecond.toFixed(0),
    ratio.toFixed(2),
    `>= ${target.toFixed(2)}`,
    verdict(ratio >= target),
  ];
}

function startUpRows(startUp: StartUp): string[][] {
  const { freshMilliseconds, existingMilliseconds, idleMegabytes } = startUp;
  const start = (name: string, milliseconds: number) => [
    name,
    '',
    milliseconds.toFixed(0),
    '',
    `< ${targets.startMilliseconds}`,
    verdict(milliseconds < targets.startMilliseconds),
  ];
  return [
    start('ready, fresh data, ms', freshMilliseconds),
    start('ready, existing data, ms', existingMilliseconds),
    [
      'idle memory, MB',
      '',
      idleMegabytes?.toFixed(1) ?? 'unknown',
      '',
      `< ${targets.idleMegabytes}`,
      idleMegabytes === null ? '' : verdict(idleMegabytes < targets.idleMegabytes),
    ],
  ];
}

function workRow(name: string, { running, waiting, microseconds, answerBytes }: Side): string[] {
  return [
    name,
    percent(running),
    percent(waiting),
    microseconds?.toFixed(1) ?? 'unknown',
    answerBytes.toFixed(0),
  ];
}

/** What casts doubt on the figures, one sentence each. */
export function remarks({ storedResponse, agentGet, coresSeparate }: Figures): string[] {
  const sides = [storedResponse.floor, storedResponse.peer, agentGet.floor, agentGet.peer];
  const found: string[] = [];
  if (!coresSeparate)
    found.push('The load generator had no core of its own, which brings the ratios nearer to 1.');
  if (sides.some(({ waiting }) => waiting !== null && waiting > disturbed)) {
    found.push(
      'Others used the cores during the run: a server was ready to run and had to wait. Measure again.',
    );
  } else if (sides.some(({ running }) => running !== null && running < saturated)) {
    found.push('A server was not kept busy: the disk or the load generator set the pace, not the server.');
  }
  return found;
}

const slowerStart = ({ freshMilliseconds, existingMilliseconds }: StartUp): number =>
  Math.max(freshMilliseconds, existingMilliseconds);
const verdict = (reached: boolean): string => (reached ? 'reached' : 'MISSED');
const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
const percent = (share: number | null): string =>
  share === null ? 'unknown' : `${(share * 100).toFixed(0)} %`;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
