import type { Family, Operation } from '../../kit/operation.ts';
import { type ContractRow, contractRows } from './contract-rows.ts';

export interface Coverage {
  served: ContractRow[];
  notBuilt: ContractRow[];
  /** What is served although neither table has it. */
  beyond: Operation[];
}

interface Route extends Pick<Operation, 'wire' | 'method' | 'path'> {
  consumes?: string | null;
}

/** Holds the families against the contract. Names of path parameters do not matter, media types do. */
export function coverageOf(families: Family[], rows: readonly ContractRow[] = contractRows()): Coverage {
  const operations = families.flatMap((family) => Object.values(family.operations));
  const servedRoutes = new Set(operations.map(routeOf));
  const known = new Set(rows.map(routeOf));
  return {
    served: rows.filter((row) => servedRoutes.has(routeOf(row))),
    notBuilt: rows.filter((row) => !servedRoutes.has(routeOf(row))),
    beyond: operations.filter((operation) => operation.wire !== 'admin' && !known.has(routeOf(operation))),
  };
}

const routeOf = (route: Route): string => `${placeOf(route)} ${route.consumes ?? 'json'}`;

/** Where an operation answers, whatever it consumes. */
export const placeOf = ({ wire, method, path }: Route): string =>
  `${wire} ${method} ${path.replace(/\{\w+\}/g, '{}')}`;
