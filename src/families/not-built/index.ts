import { apiError } from '../../errors.ts';
import type { Family, Operation } from '../../kit/operation.ts';
import { type ContractRow, contractRows, rowLine } from './contract-rows.ts';
import { coverageOf, placeOf } from './coverage.ts';
import { previewGate } from './preview-gates.ts';

export const notBuiltName = 'not-built';

/** All operations of the contract that none of the families serves. Each answers 501 `not_implemented`. */
export function notBuiltFamily(served: Family[]): Family {
  const rows = coverageOf(served).notBuilt;
  return {
    name: notBuiltName,
    operations: Object.fromEntries(rows.map((row) => [keyOf(row), operationOf(row)])),
    handlers: Object.fromEntries(rows.map((row) => [keyOf(row), () => refuse(row)])),
  };
}

const keyOf = ({ wire, group, operation }: ContractRow): string => `${wire}:${group}.${operation}`;

const nameOf = ({ group, operation }: ContractRow): string => `${group.replace(/^beta\//, '')}.${operation}`;

function refuse(row: ContractRow): never {
  throw apiError(
    'not_implemented',
    `${nameOf(row)} (${rowLine(row)}) is part of the API, but not built here yet.`,
    {
      retry: false,
    },
  );
}

/** A refusal depends on no body, so none is read: any media type and size is refused alike. */
const early = { answersBeforeBody: true, notBuilt: true };

function operationOf(row: ContractRow): Operation {
  const { wire, method, path, group, consumes } = row;
  const preview = wire === 'foundry' ? previewGate(path) : null;
  return {
    method,
    path,
    summary: nameOf(row),
    wire,
    ...early,
    // Alone at its place it answers whatever it is sent.
    ...(consumes !== null && hasNeighbour(row) ? { consumes } : {}),
    ...(preview === null ? {} : { preview }),
    ...(onAgentEndpoint.has(group) && wire === 'openai' ? { onAgentEndpoint: true } : {}),
  };
}

/** The groups that an agent's own endpoint serves as well. */
const onAgentEndpoint = new Set(['responses', 'conversations']);

let crowded: ReadonlySet<string> | undefined;

/** Whether the contract has the same place with another media type. */
function hasNeighbour(row: ContractRow): boolean {
  crowded ??= new Set(
    contractRows()
      .map(placeOf)
      .filter((place, i, all) => all.indexOf(place) !== i),
  );
  return crowded.has(placeOf(row));
}
