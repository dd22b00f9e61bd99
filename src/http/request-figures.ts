import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Operation } from '../kit/operation.ts';
import { operationName } from '../kit/operation-name.ts';
import type { Counter, Histogram, Metrics } from '../traffic/metrics.ts';

/** Counts requests by operation, never by path. */
export interface RequestFigures {
  ended(request: FastifyRequest, reply: FastifyReply): void;
}

const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface OfOperation {
  durations: Histogram;
  /** By the first digit of the status. */
  requests: (Counter | undefined)[];
}

export function requestFigures(metrics: Metrics): RequestFigures {
  const requests = metrics.counters('bloomery_requests_total', 'Requests by operation and class of status.');
  const durations = metrics.histograms(
    'bloomery_request_seconds',
    'How long requests took, streams to their end.',
    bounds,
  );
  const known = new Map<Operation | undefined, OfOperation>();
  return {
    ended({ routeOptions, exchange }, { raw }) {
      const { operation } = routeOptions.config;
      const name = operation === undefined ? 'other' : operationName(operation);
      let figures = known.get(operation);
      if (figures === undefined) {
        figures = { durations: durations.of({ operation: name }), requests: [] };
        known.set(operation, figures);
      }
      figures.durations.observe((performance.now() - exchange.startedAt) / 1000);
      const digit = Math.floor(raw.statusCode / 100);
      let counter = figures.requests[digit];
      if (counter === undefined) {
        counter = requests.of({ operation: name, status: `${digit}xx` });
        figures.requests[digit] = counter;
      }
      counter.add();
    },
  };
}
