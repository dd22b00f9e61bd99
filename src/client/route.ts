import type { Method, Wire } from '../kit/operation.ts';

/** What is sent where; how it looks is in the types alone. */
export interface Route {
  method: Method;
  path: string;
  wire: Wire;
  preview?: string;
  consumes?: string;
  hasBody?: boolean;
  bodyOptional?: boolean;
  /** What asks for a stream, in the query of a GET, else in the body. */
  streamsBy?: { stream?: true; stream_format?: 'sse' };
  answersBytes?: boolean;
  isPage?: boolean;
}
