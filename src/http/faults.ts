import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActiveFaults } from '../faults/active-faults.ts';
import type { PlanInForce } from '../faults/plan-in-force.ts';
import { plannedStatus } from '../faults/planned-fault.ts';
import { type FaultyRequest, planHeader, type RequestFaults } from '../faults/request-faults.ts';
import type { FaultRule } from '../kit/fault-plan.ts';
import { ByteStream, EventStream, type Operation } from '../kit/operation.ts';
import { diskFull } from './disk-space.ts';
import { clientGone, type Exchange } from './exchange.ts';
import { cutAfter, malformedAt } from './faulty-streams.ts';
import { BrokenOff } from './sse.ts';

/** What fault plans do to one request. */
export interface Struck {
  /** Throws what is answered in the place of any work. */
  before(): Promise<void>;
  /** The answer, late or broken. */
  after(result: unknown): Promise<unknown>;
}

export interface FaultStep {
  /** Null where no plan applies. */
  of(operation: Operation, request: FastifyRequest, reply: FastifyReply, isStream: boolean): Struck | null;
  /** The same of a message on a WebSocket, which breaks by throwing `BrokenOff`. */
  ofMessage(operation: Operation, exchange: Exchange, body: object): Struck | null;
}

export function faultStep(faults: ActiveFaults, diskFloorBytes: number): FaultStep {
  const strike = (
    plans: readonly PlanInForce[],
    exchange: Exchange,
    request: Pick<FaultyRequest, 'operation' | 'agent' | 'isStream'>,
    breakConnection: () => void,
  ): Struck => {
    const met = faults.meet(plans, {
      ...request,
      requestId: exchange.requestId,
      project: exchange.project,
      path: pathBelowProject(exchange.url),
      answerHeaders: (headers) => exchange.answerHeaders(headers),
    });
    exchange.faults = met;
    return new StruckRequest(met, exchange, { breakConnection, diskFloorBytes });
  };
  const plansFor = ({ project }: Exchange, token: string | undefined) => faults.inForce(project, token);
  return {
    of(operation, { exchange, params, body }, { raw }, isStream) {
      // Never to whoever administers: a plan can always be taken away.
      if (operation.wire === 'admin') return null;
      const plans = plansFor(exchange, exchange.header(planHeader));
      if (plans === null) return null;
      const { agent_name: onRoute } = params as { agent_name?: string };
      const agent = onRoute ?? agentIn(body);
      return strike(plans, exchange, { operation, agent, isStream }, () => reset(raw));
    },
    ofMessage(operation, exchange, body) {
      const plans = plansFor(exchange, exchange.header(planHeader));
      if (plans === null) return null;
      const agent = exchange.endpointAgent ?? agentIn(body);
      return strike(plans, exchange, { operation, agent, isStream: true }, () => {
        throw new BrokenOff();
      });
    },
  };
}

const delays = ({ fault }: FaultRule): boolean => fault === 'latency';
const ends = ({ fault, at = 'request' }: FaultRule): boolean =>
  fault === 'status' || fault === 'storage_full' || (fault === 'reset' && at === 'request');
const holdsBack = ({ fault }: FaultRule): boolean => fault === 'slow_first_byte';
const loses = ({ fault, at }: FaultRule): boolean => fault === 'reset' && at === 'answer';
const garbles = ({ fault }: FaultRule): boolean => fault === 'malformed_event';
const cuts = ({ fault }: FaultRule): boolean => fault === 'cut_stream';

interface StruckParts {
  breakConnection(): void;
  diskFloorBytes: number;
}

class StruckRequest implements Struck {
  readonly #faults: RequestFaults;
  readonly #exchange: Exchange;
  readonly #parts: StruckParts;

  constructor(faults: RequestFaults, exchange: Exchange, parts: StruckParts) {
    this.#faults = faults;
    this.#exchange = exchange;
    this.#parts = parts;
  }

  async before(): Promise<void> {
    await this.#wait(delays);
    const ending = this.#faults.take(ends);
    if (ending === null) return;
    if (ending.fault === 'storage_full') throw diskFull(0, this.#parts.diskFloorBytes);
    if (ending.fault === 'reset') this.#break();
    throw answerOf(ending);
  }

  async after(result: unknown): Promise<unknown> {
    const faults = this.#faults;
    if (faults.isSpared) return result;
    try {
      await this.#wait(holdsBack);
      if (faults.take(loses) !== null) this.#break();
    } catch (error) {
      await abandon(result);
      throw error;
    }
    if (!(result instanceof EventStream)) return result;
    const garbled = faults.take(garbles);
    const broken = garbled === null ? result : malformedAt(result, garbled.event ?? 1);
    const cut = faults.take(cuts);
    return cut === null ? broken : cutAfter(broken, cut.event ?? 0);
  }

  /** For all faults of the kind, one after the other. */
  async #wait(isWanted: (rule: FaultRule) => boolean): Promise<void> {
    for (let late = this.#faults.take(isWanted); late !== null; late = this.#faults.take(isWanted)) {
      const { signal } = this.#exchange;
      await sleep(late.milliseconds, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }

  #break(): never {
    this.#parts.breakConnection();
    throw clientGone();
  }
}

/** Whatever streams has to begin, or whoever waits for its end would wait for ever. */
async function abandon(result: unknown): Promise<void> {
  const source =
    result instanceof EventStream ? result.frames : result instanceof ByteStream ? result.bytes : null;
  const parts: AsyncIterator<unknown> | undefined = source?.[Symbol.asyncIterator]();
  try {
    await parts?.next();
    await parts?.return?.();
  } catch {
    // It has ended as well.
  }
}

/** On TCP the peer is told of a reset; TLS ends without its goodbye. */
function reset(raw: ServerResponse): void {
  if (raw.socket !== null && !('encrypted' in raw.socket)) raw.socket.resetAndDestroy?.();
  raw.destroy();
}

const answerOf = ({ name, status = 500, retryAfterSeconds }: FaultRule) =>
  plannedStatus(status, `A fault plan answers ${status} here (fault '${name}').`, {
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  });

interface Named {
  name?: unknown;
}

function agentIn(body: unknown): string | null {
  const { agent_reference, agent } = (body ?? {}) as { agent_reference?: Named; agent?: Named };
  const name = agent_reference?.name ?? agent?.name;
  return typeof name === 'string' ? name : null;
}

const beforePath = '/api/projects/'.length;

function pathBelowProject(url: string): string {
  const start = url.indexOf('/', beforePath);
  const end = url.indexOf('?');
  return url.slice(start < 0 ? url.length : start, end < 0 ? undefined : end);
}
