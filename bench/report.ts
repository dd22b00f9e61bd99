import { signed, verdict } from './cells.ts';
import type { CodeInterpreter } from './code-interpreter.ts';
import type { Files } from './files.ts';
import type { HundredCalls } from './hundred-calls.ts';
import type { Ingestion } from './ingestion.ts';
import { ingestionRows } from './ingestion-rows.ts';
import type { McpCalls } from './mcp.ts';
import type { Resume } from './resume.ts';
import type { Search } from './search.ts';
import type { SearchQuality } from './search-quality.ts';
import { searchQualityRows, searchRows } from './search-rows.ts';
import type { StartUp } from './start-up.ts';
import type { Streaming } from './streaming.ts';
import { type Streams, type StreamsSide, streamCount } from './streams.ts';
import type { Side, Throughput } from './throughput.ts';
import type { ToolLoop } from './tool-loop.ts';
import { codeInterpreterRows, hundredCallsRows, mcpRows, toolLoopRows } from './tool-rows.ts';

/** What was measured; null where a case was left out, or has no meaning for the peer. */
export interface Figures {
  storedResponse: Throughput | null;
  agentGet: Throughput | null;
  streaming: Streaming | null;
  startUp: StartUp | null;
  toolLoop: ToolLoop | null;
  streams: Streams | null;
  resume: Resume | null;
  mcp: McpCalls | null;
  hundredCalls: HundredCalls | null;
  codeInterpreter: CodeInterpreter | null;
  search: Search | null;
  searchQuality: SearchQuality | null;
  files: Files | null;
  ingestion: Ingestion | null;
  /** Whether the load generator had a core of its own. */
  coresSeparate: boolean;
}

const targets = {
  storedResponse: 0.5,
  agentGet: 0.6,
  firstByteMilliseconds: 2,
  startMilliseconds: 700,
  idleMegabytes: 120,
  lateMilliseconds: 50,
  streamKilobytes: 40,
  resume: 2,
  file: 1.5,
  fileGrowthMegabytes: 64,
};

/** A waiting server means that others use the cores, and the figures say as much about them. */
const disturbed = 0.1;
/** Below this share the server had spare time, so something else set the pace. */
const saturated = 0.8;

/** The figures as one line of JSON: ratios, and for streams the differences in milliseconds. */
export function jsonLine(figures: Figures): string {
  const { storedResponse, agentGet, streaming, startUp, toolLoop, streams, resume } = figures;
  const { mcp, hundredCalls, codeInterpreter, search, searchQuality, files, ingestion } = figures;
  return JSON.stringify({
    ratios: {
      stored_response: rounded(storedResponse?.ratio, 3),
      agent_get: rounded(agentGet?.ratio, 3),
      stream_first_byte: rounded(streaming?.firstByteDifference, 3),
      resume: rounded(resume?.ratio, 3),
    },
    startup_ms: rounded(startUp === null ? null : slowerStart(startUp), 0),
    idle_mb: rounded(startUp?.idleMegabytes, 1),
    tool_turn_ms: rounded(toolLoop?.turnMilliseconds, 3),
    streams_late_ms: rounded(streams?.lateDifference, 2),
    stream_kb: rounded(streams?.peer.idleKilobytes, 1),
    mcp_call_ms: rounded(mcp?.overhead, 2),
    hundred_calls_growth: rounded(hundredCalls?.growth, 2),
    code_warm_ms: rounded(codeInterpreter?.warmMilliseconds, 0),
    code_cold_ms: rounded(codeInterpreter?.coldMilliseconds, 0),
    code_idle_mb: rounded(codeInterpreter?.idle?.megabytes, 0),
    search_hybrid_ms: rounded(search?.hybrid.median, 1),
    search_hybrid_p99_ms: rounded(search?.hybrid.p99, 1),
    search_recall: rounded(search?.recall, 3),
    search_ndcg: rounded(searchQuality?.words, 3),
    search_ndcg_difference: rounded(
      searchQuality === null ? null : searchQuality.words - searchQuality.reference,
      4,
    ),
    file_upload: rounded(files === null ? null : files.upload / files.floor, 2),
    file_download: rounded(files === null ? null : files.download / files.floor, 2),
    file_growth_mb: rounded(files?.growth, 1),
    ingestion_documents: rounded(ingestion?.mixed.documentsPerSecond, 1),
    ingestion_mb: rounded(ingestion?.mixed.megabytesPerSecond, 2),
    ingestion_p99: rounded(ingestion?.mixed.others.ratio, 2),
    ingestion_plain_mb: rounded(ingestion?.plain.megabytesPerSecond, 2),
    ingestion_plain: rounded(
      ingestion === null ? null : ingestion.plain.megabytesPerSecond / ingestion.floor,
      3,
    ),
    ingestion_plain_p99: rounded(ingestion?.plain.others.ratio, 2),
  });
}

/** The figures as tables for people, with what is reached and what is not. */
export function report(figures: Figures, peer: string): string {
  const { storedResponse, agentGet, streaming, startUp, toolLoop, streams, resume } = figures;
  const { mcp, hundredCalls, codeInterpreter, search, searchQuality, files, ingestion } = figures;
  const rows = [
    ['', 'floor', peer, 'ratio', 'target', ''],
    ...(storedResponse === null
      ? []
      : [throughputRow('stored response, requests/s', storedResponse, targets.storedResponse)]),
    ...(agentGet === null ? [] : [throughputRow('agent GET, requests/s', agentGet, targets.agentGet)]),
    ...(streaming === null ? [] : streamingRows(streaming)),
    ...(startUp === null ? [] : startUpRows(startUp)),
    ...(toolLoop === null ? [] : toolLoopRows(toolLoop)),
    ...(streams === null ? [] : streamsRows(streams)),
    ...(resume === null ? [] : [resumeRow(resume)]),
    ...(mcp === null ? [] : mcpRows(mcp)),
    ...(hundredCalls === null ? [] : hundredCallsRows(hundredCalls)),
    ...(codeInterpreter === null ? [] : codeInterpreterRows(codeInterpreter)),
    ...(search === null ? [] : searchRows(search)),
    ...(searchQuality === null ? [] : searchQualityRows(searchQuality)),
    ...(files === null ? [] : fileRows(files)),
    ...(ingestion === null ? [] : ingestionRows(ingestion)),
  ];
  const work = [
    ['main thread of the server', 'running', 'waiting', 'µs each', 'answer bytes'],
    ...Object.entries({ 'stored response': storedResponse, 'agent GET': agentGet }).flatMap(
      ([name, sides]) =>
        sides === null
          ? []
          : [workRow(`${name}, floor`, sides.floor), workRow(`${name}, ${peer}`, sides.peer)],
    ),
    ...(streams === null
      ? []
      : [
          workRow(`${streamCount} streams, floor`, streams.floor),
          workRow(`${streamCount} streams, ${peer}`, streams.peer),
        ]),
  ];
  return `${[table(rows), ...(work.length > 1 ? [table(work)] : []), ...remarks(figures)].join('\n\n')}\n`;
}

function streamingRows({ floor, peer, firstByteDifference }: Streaming): string[][] {
  return [
    [
      'stream, first byte, ms',
      floor.firstByte.toFixed(2),
      peer.firstByte.toFixed(2),
      signed(firstByteDifference),
      `<= +${targets.firstByteMilliseconds.toFixed(2)}`,
      verdict(firstByteDifference <= targets.firstByteMilliseconds),
    ],
    [
      'stream, last byte, ms',
      floor.lastByte.toFixed(2),
      peer.lastByte.toFixed(2),
      signed(peer.lastByte - floor.lastByte),
      '',
      '',
    ],
  ];
}

function streamsRows({ floor, peer, lateDifference }: Streams): string[][] {
  const row = (name: string, figure: (side: StreamsSide) => string): string[] => [
    `${streamCount} streams, ${name}`,
    figure(floor),
    figure(peer),
  ];
  return [
    [...row('events/s each', (side) => side.eventsPerSecond.toFixed(2)), '', '', ''],
    [...row('median event late, ms', (side) => side.late.median.toFixed(2)), '', '', ''],
    [
      ...row('99th of 100 late, ms', (side) => side.late.p99.toFixed(2)),
      signed(lateDifference),
      `<= +${targets.lateMilliseconds.toFixed(2)}`,
      verdict(lateDifference <= targets.lateMilliseconds),
    ],
    [...row('latest event, ms', (side) => side.late.most.toFixed(2)), '', '', ''],
    [...row('kB each when opened', (side) => side.openedKilobytes?.toFixed(1) ?? 'unknown')],
    [
      ...row('kB each at rest', (side) => side.idleKilobytes?.toFixed(1) ?? 'unknown'),
      '',
      `< ${targets.streamKilobytes}`,
      peer.idleKilobytes === null ? '' : verdict(peer.idleKilobytes < targets.streamKilobytes),
    ],
  ];
}

function resumeRow({ floor, peer, ratio, events }: Resume): string[] {
  return [
    `resume of ${events} events, ms`,
    floor.toFixed(2),
    peer.toFixed(2),
    ratio.toFixed(2),
    `<= ${targets.resume.toFixed(2)}`,
    verdict(ratio <= targets.resume),
  ];
}

function fileRows({ megabytes, floor, upload, download, growth }: Files): string[][] {
  const row = (name: string, milliseconds: number) => [
    `${name} of ${megabytes} MiB, beside cp and SHA-256, ms`,
    floor.toFixed(0),
    milliseconds.toFixed(0),
    (milliseconds / floor).toFixed(2),
    `<= ${targets.file.toFixed(2)}`,
    verdict(milliseconds <= floor * targets.file),
  ];
  return [
    row('upload', upload),
    row('download', download),
    [
      'memory while at it, MB',
      '',
      growth === null ? 'unknown' : signed(growth),
      '',
      `< +${targets.fileGrowthMegabytes}`,
      growth === null ? '' : verdict(growth < targets.fileGrowthMegabytes),
    ],
  ];
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

function workRow(
  name: string,
  { running, waiting, microseconds, answerBytes }: Work & { answerBytes?: number },
): string[] {
  return [
    name,
    percent(running),
    percent(waiting),
    microseconds?.toFixed(1) ?? 'unknown',
    answerBytes?.toFixed(0) ?? '',
  ];
}

/** What casts doubt on the figures, one sentence each. */
export function remarks({ storedResponse, agentGet, streams, coresSeparate }: Figures): string[] {
  const paced = [streams?.floor, streams?.peer].filter(isKnown);
  const driven = [storedResponse, agentGet].filter(isKnown).flatMap(({ floor, peer }) => [floor, peer]);
  const found: string[] = [];
  if (!coresSeparate)
    found.push('The load generator had no core of its own, which brings the ratios nearer to 1.');
  if ([...driven, ...paced].some(({ waiting }) => waiting !== null && waiting > disturbed)) {
    found.push(
      'Others used the cores during the run: a server was ready to run and had to wait. Measure again.',
    );
  } else if (driven.some(({ running }) => running !== null && running < saturated)) {
    found.push('A server was not kept busy: the disk or the load generator set the pace, not the server.');
  }
  return found;
}

type Work = Pick<Side, 'running' | 'waiting' | 'microseconds'>;

const isKnown = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;
const slowerStart = ({ freshMilliseconds, existingMilliseconds }: StartUp): number =>
  Math.max(freshMilliseconds, existingMilliseconds);
const percent = (share: number | null): string =>
  share === null ? 'unknown' : `${(share * 100).toFixed(0)} %`;
const rounded = (value: number | null | undefined, digits: number): number | null =>
  value === null || value === undefined ? null : Number(value.toFixed(digits));

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
