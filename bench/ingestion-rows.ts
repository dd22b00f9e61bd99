/** The report's rows about ingestion: name, floor, Bloomery, ratio or difference, target, verdict. */
import { verdict } from './cells.ts';
import type { Ingestion, TakenIn } from './ingestion.ts';

const targets = { plainMegabytes: 5, latency: 2 };

export function ingestionRows({ mixed, plain, floor }: Ingestion): string[][] {
  const plainSpeed = plain.megabytesPerSecond;
  return [
    row(`${mixed.documents} mixed documents, uploads/s`, mixed.uploadsPerSecond.toFixed(0)),
    row(`${mixed.documents} mixed documents, documents/s on one core`, mixed.documentsPerSecond.toFixed(0)),
    row(`${mixed.documents} mixed documents, MB of text/s`, mixed.megabytesPerSecond.toFixed(2)),
    row('the same, MB for each second of a core', mixed.megabytesPerCoreSecond?.toFixed(2) ?? 'unknown'),
    ...latencyRows('mixed documents', mixed),
    [
      `${plain.documents} plain texts, words only, MB/s on one core`,
      floor.toFixed(2),
      plainSpeed.toFixed(2),
      (plainSpeed / floor).toFixed(2),
      `>= ${targets.plainMegabytes.toFixed(2)}`,
      verdict(plainSpeed >= targets.plainMegabytes),
    ],
    row('the same, MB for each second of a core', plain.megabytesPerCoreSecond?.toFixed(2) ?? 'unknown'),
    ...latencyRows('plain texts', plain),
  ];
}

/** The floor of a server that takes files in is the same server at rest. */
function latencyRows(
  name: string,
  { others: { idle, meanwhile, ratio, megabytesPerSecond } }: TakenIn,
): string[][] {
  return [
    row(`${name}, MB/s on all cores but one`, megabytesPerSecond.toFixed(2)),
    [
      `agent GET beside ${name}, median, ms`,
      idle.median.toFixed(2),
      meanwhile.median.toFixed(2),
      (meanwhile.median / idle.median).toFixed(2),
      '',
      '',
    ],
    [
      `agent GET beside ${name}, 99th of 100, ms`,
      idle.p99.toFixed(2),
      meanwhile.p99.toFixed(2),
      ratio.toFixed(2),
      `<= ${targets.latency.toFixed(2)}`,
      verdict(ratio <= targets.latency),
    ],
  ];
}

const row = (name: string, figure: string): string[] => [name, '', figure, '', '', ''];
