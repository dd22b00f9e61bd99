import type { FastifyRequest } from 'fastify';
import type { Limits, RateLimitsConfig } from '../config.ts';
import { type ApiError, apiError } from '../errors.ts';
import { FairGauge } from '../traffic/fair-gauge.ts';
import type { Counters } from '../traffic/metrics.ts';
import { tooManyAtOnce } from '../traffic/refusals.ts';
import type { DiskSpace } from './disk-space.ts';
import { clientGone, type Exchange } from './exchange.ts';
import { createRateLimits } from './rate-limits.ts';

export interface LoadOptions {
  limits: Pick<
    Limits,
    'concurrentRequests' | 'concurrentStreams' | 'webSockets' | 'projectSharePercent' | 'diskFreeBytes'
  >;
  rateLimits: RateLimitsConfig;
  disk: DiskSpace | null;
  /** By layer and unit. */
  refusals: Counters;
  now?: () => number;
}

/** Counts what is under way, and lets in what fits. Whoever entered leaves, even if it was refused. */
export interface Load {
  readonly underWay: number;
  readonly requests: FairGauge;
  readonly streams: FairGauge;
  readonly webSockets: FairGauge;
  /** Throws `service_unavailable` beyond the limit of the server. */
  enter(): void;
  /** Throws beyond what the project and the key may ask for, and when the disk has no room for what a request brings. */
  admit(exchange: Exchange, request: FastifyRequest): void;
  /** The same for a message on a connection: another request of whoever opened it. */
  admitMessage(exchange: Exchange): void;
  /**
   * The last of an answer is on its way: its project and key may ask again, as the client may before the server hears
   * that all was sent. The server itself still holds it.
   */
  answered(exchange: Exchange): void;
  leave(exchange: Exchange): void;
  /** Throws when there is no room for one more; answers what frees its place, which may be called again. */
  hold(kind: 'streams' | 'webSockets', project: string): () => void;
}

const names = { streams: 'concurrentStreams', webSockets: 'webSockets' } as const;
const nouns = { streams: 'streams', webSockets: 'WebSockets' } as const;

export function createLoad({ limits, rateLimits, disk, refusals, now }: LoadOptions): Load {
  const most = limits.concurrentRequests;
  const gauge = (bound: number) => new FairGauge(bound, limits.projectSharePercent);
  const requests = gauge(most);
  const held = { streams: gauge(limits.concurrentStreams), webSockets: gauge(limits.webSockets) };
  const rates = createRateLimits(rateLimits, refusals, now);
  const refuse = (layer: string, error: ApiError): never => {
    refusals.of({ layer, unit: 'concurrency' }).add();
    throw error;
  };
  const enterShare = (of: FairGauge, project: string, name: string, noun: string): void => {
    const outcome = of.enter(project);
    if (outcome === 'entered') return;
    const whole = `The server takes ${of.most} ${noun} at once (limits.${name})`;
    const share = `Project '${project}' holds ${of.heldBy(project)} ${noun} at once, its share of ${of.most} (limits.${name}, limits.projectSharePercent)`;
    refuse(
      outcome === 'all' ? 'server' : 'share',
      tooManyAtOnce(outcome === 'all' ? whole : share, `limits.${name}`),
    );
  };
  let underWay = 0;

  const admit = (exchange: Exchange, isPreview: boolean): void => {
    const { project } = exchange;
    // Nobody would leave in its name any more.
    if (exchange.isOver) throw clientGone();
    enterShare(requests, project, 'concurrentRequests', 'requests');
    try {
      rates.enter(exchange, isPreview);
    } catch (error) {
      requests.leave(project);
      throw error;
    }
    exchange.isAdmitted = true;
    exchange.isCounted = true;
  };
  const answered = (exchange: Exchange): void => {
    if (!exchange.isCounted) return;
    exchange.isCounted = false;
    rates.leave(exchange);
  };

  return {
    requests,
    streams: held.streams,
    webSockets: held.webSockets,
    get underWay() {
      return underWay;
    },
    enter() {
      underWay++;
      if (underWay <= most) return;
      refuse(
        'server',
        apiError('service_unavailable', `The server is at its limit of ${most} concurrent requests.`, {
          headers: { 'retry-after': '1' },
          retry: true,
        }),
      );
    },
    admit(exchange, request) {
      disk?.check(request);
      admit(exchange, request.routeOptions.config.operation?.preview !== undefined);
    },
    admitMessage: (exchange) => admit(exchange, false),
    answered,
    leave(exchange) {
      underWay--;
      exchange.isOver = true;
      answered(exchange);
      if (!exchange.isAdmitted) return;
      exchange.isAdmitted = false;
      requests.leave(exchange.project);
    },
    hold(kind, project) {
      enterShare(held[kind], project, names[kind], nouns[kind]);
      let isHeld = true;
      return () => {
        if (isHeld) held[kind].leave(project);
        isHeld = false;
      };
    },
  };
}
