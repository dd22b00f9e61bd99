import { isRecord } from '../../kit/record.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { type AskedService, askService } from './ask-service.ts';
import { redactions } from './redactions.ts';
import { toolFailure } from './tool-failure.ts';

/** A service that speaks JSON over HTTP and takes a token. */
export interface Service {
  /** What failures call it. */
  name: string;
  headers: Record<string, string>;
}

export interface ServiceCall {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  body?: object;
  signal: AbortSignal;
}

export type CallService = (url: string, call: ServiceCall) => Promise<Record<string, unknown>>;

/** Calls of one service that answers with objects. What fails is told without the token. */
export function serviceCaller({ fetch }: Outbound, { name, headers }: Service): CallService {
  const service: AskedService = { name, fetch, redact: redactions(headers) };
  return async (url, { method = 'GET', body, signal }) => {
    const answer = await askService(service, url, {
      method,
      signal,
      // An address that moves is one to be set anew: the token goes where the connection says.
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (isRecord(answer)) return answer;
    throw toolFailure(`${name} answered with something that is not the JSON of results.`);
  };
}
