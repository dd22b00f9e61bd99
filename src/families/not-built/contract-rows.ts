import { readFileSync } from 'node:fs';
import type { Method, Wire } from '../../kit/operation.ts';

/** One operation of the contract. */
export interface ContractRow {
  wire: Wire;
  /** As in the SDK: `beta/memoryStores`. */
  group: string;
  operation: string;
  method: Method;
  /** As in `Operation.path`. */
  path: string;
  /** Of the body, where it is neither JSON nor absent. */
  consumes: string | null;
}

const tables = [
  { wire: 'foundry', file: 'native-operations.tsv' },
  { wire: 'openai', file: 'openai-operations.tsv' },
] as const;

let rows: readonly ContractRow[] | undefined;

/** Both halves of the contract, in the order of the tables in `spec/`. */
export function contractRows(): readonly ContractRow[] {
  rows ??= tables.flatMap(({ wire, file }) =>
    parseRows(wire, readFileSync(new URL(`../../../spec/${file}`, import.meta.url), 'utf8')),
  );
  return rows;
}

function parseRows(wire: Wire, table: string): ContractRow[] {
  const [head = '', ...lines] = table.trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const cell = (name: string) => cells[names.indexOf(name)] ?? '';
    return {
      wire,
      group: cell('group'),
      operation: cell('operation').replace('$', ''),
      method: cell('method') as Method,
      path: cell('path').replace(/\{\?.*$/, ''),
      consumes: mediaTypeOf(cell('content_type').replaceAll('"', '')),
    };
  });
}

/** A cell without a slash is the name of a variable: there the caller says what it sends. */
const mediaTypeOf = (cell: string): string | null =>
  !cell.includes('/') || /^application\/(merge-patch\+)?json$/.test(cell) ? null : cell;

/** The operation in one line: `POST /openai/v1/files multipart/form-data`. */
export const rowLine = ({ wire, method, path, consumes }: ContractRow): string =>
  `${method} ${wire === 'openai' ? '/openai/v1' : ''}${path}${consumes === null ? '' : ` ${consumes}`}`;
