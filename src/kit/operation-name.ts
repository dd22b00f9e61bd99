import type { Operation } from './operation.ts';

const prefixes = { foundry: '', openai: '/openai/v1', admin: '/admin' } as const;

/** `POST /openai/v1/responses`: what an operation is called in figures and fault plans. */
export const operationName = ({ method, wire, path }: Pick<Operation, 'method' | 'wire' | 'path'>): string =>
  `${method} ${prefixes[wire]}${path}`;
