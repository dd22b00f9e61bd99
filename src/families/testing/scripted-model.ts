import { apiError } from '../../errors.ts';
import type { ModelCaller } from '../../providers/models/caller.ts';
import type { ModelGateway, ModelTarget } from '../../providers/models/gateway.ts';
import type {
  Deployment,
  FinishReason,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  ModelUsage,
} from '../../providers/models/model.ts';

/** What one model call does: its events in order, where an `Error` is thrown and a function is waited for. */
export type Turn = (ModelEvent | Error | ((signal: AbortSignal) => Promise<void>))[];

export interface ScriptedModel {
  provider: ModelProvider;
  /** The requests of the calls so far. */
  requests: ModelRequest[];
  /** Whom they were for. */
  callers: (ModelCaller | undefined)[];
  /** How many calls were ended, by their end or by their reader. */
  readonly ended: number;
}

/** A model that plays one turn per call, in order; a call too many is an error. */
export function scriptedModel(...turns: Turn[]): ScriptedModel {
  const requests: ModelRequest[] = [];
  const callers: ScriptedModel['callers'] = [];
  let ended = 0;
  return {
    requests,
    callers,
    get ended() {
      return ended;
    },
    provider: {
      async *generate(request, signal, caller) {
        const turn = turns[requests.length];
        requests.push(request);
        callers.push(caller);
        if (turn === undefined) throw new Error(`The script has no turn ${requests.length}.`);
        try {
          for (const step of turn) {
            if (step instanceof Error) throw step;
            if (typeof step === 'function') await step(signal);
            else yield step;
          }
        } finally {
          ended++;
        }
      },
      countTokens: ({ messages }) => messages.length,
    },
  };
}

export const says = (...deltas: string[]): ModelEvent[] => deltas.map((delta) => ({ type: 'text', delta }));

export const calls = (callId: string, name: string, ...deltas: string[]): ModelEvent[] => [
  { type: 'tool_call', callId, name },
  ...deltas.map((delta) => ({ type: 'tool_arguments' as const, delta })),
];

export const finish = (reason: FinishReason = 'stop', usage: Partial<ModelUsage> = {}): ModelEvent => ({
  type: 'finish',
  reason,
  usage: {
    inputTokens: 11,
    cachedInputTokens: 0,
    outputTokens: 7,
    reasoningTokens: 0,
    ...usage,
  },
});

/** Settles when the call is aborted, by throwing the reason; the place in a turn where a model hangs. */
export const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** A gateway of the given providers, by deployment name. */
export function scriptedGateway(
  providers: Record<string, ModelProvider | { provider: ModelProvider; deployment: Partial<Deployment> }>,
): ModelGateway {
  const targets = new Map<string, ModelTarget>();
  for (const [name, given] of Object.entries(providers)) {
    const { provider, deployment } = 'provider' in given ? given : { provider: given, deployment: {} };
    targets.set(name, { provider, deployment: { ...plainDeployment, name, ...deployment } });
  }
  return {
    list: () => [...targets.values()].map(({ deployment }) => deployment),
    find: (name) => targets.get(name),
    resolve(name, target) {
      const found = targets.get(name);
      if (found !== undefined) return found;
      throw apiError('DeploymentNotFound', `No model deployment '${name}' exists.`, {
        target: target ?? null,
      });
    },
  };
}

const plainDeployment: Omit<Deployment, 'name'> = {
  provider: 'openai-compatible',
  modelName: 'some-model',
  modelVersion: '1',
  modelPublisher: 'Somebody',
  capabilities: { chat_completion: 'true' },
  connectionName: null,
};
