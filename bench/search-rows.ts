/** The report's rows about search: name, floor, Bloomery, ratio or difference, target, verdict. */
import { signed, verdict } from './cells.ts';
import type { Latency, Search } from './search.ts';
import type { SearchQuality } from './search-quality.ts';

const targets = { hybridMilliseconds: 25, recall: 0.99, difference: 0.01 };

export function searchRows(measured: Search): string[][] {
  const { chunks, hybrid, recall } = measured;
  const plain = (name: string, figure: string) => [name, '', figure, '', '', ''];
  const latency = (name: string, { median, p99 }: Latency) => [
    plain(`search, ${name}, ms`, median.toFixed(1)),
    plain(`search, ${name}, 99th of 100, ms`, p99.toFixed(1)),
  ];
  return [
    plain(`search, putting ${chunks} chunks in, chunks/s`, measured.chunksPerSecond.toFixed(0)),
    plain('search, first after a start, ms', measured.firstMilliseconds.toFixed(0)),
    [
      `search, hybrid in ${chunks} chunks, ms`,
      '',
      hybrid.median.toFixed(1),
      '',
      `< ${targets.hybridMilliseconds}`,
      verdict(hybrid.median < targets.hybridMilliseconds),
    ],
    plain('search, hybrid, 99th of 100, ms', hybrid.p99.toFixed(1)),
    ...latency('by vectors only', measured.vectors),
    ...latency('by words only', measured.words),
    ...latency('hybrid with a filter', measured.filtered),
    ...latency('hybrid while files are put in', measured.ingesting),
    [
      'search, recall of the nearest ten',
      '',
      recall.toFixed(3),
      '',
      `>= ${targets.recall}`,
      verdict(recall >= targets.recall),
    ],
  ];
}

export function searchQualityRows({ queries, words, vectors, hybrid, reference }: SearchQuality): string[][] {
  const difference = words - reference;
  return [
    [
      `nDCG@10 of ${queries} headings, by words`,
      reference.toFixed(3),
      words.toFixed(3),
      signed(difference),
      `within ${targets.difference}`,
      verdict(Math.abs(difference) <= targets.difference),
    ],
    [`nDCG@10 of ${queries} headings, by vectors`, '', vectors.toFixed(3), '', '', ''],
    [`nDCG@10 of ${queries} headings, hybrid`, '', hybrid.toFixed(3), '', '', ''],
  ];
}
