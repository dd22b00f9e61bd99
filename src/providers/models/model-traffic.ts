import type { DeploymentConfig, RateLimitsConfig } from '../../config.ts';
import type { Counters, Metrics } from '../../traffic/metrics.ts';
import { RateLimitsBy } from '../../traffic/rate-limits-by.ts';
import { DeploymentGate } from './deployment-gate.ts';
import { governed } from './governed-provider.ts';
import type { ModelProvider } from './model.ts';

/** Stands before all deployments: counts their calls, and lets through what the limits allow. */
export interface ModelTraffic {
  govern(deployment: DeploymentConfig, provider: ModelProvider): ModelProvider;
}

export interface ModelTrafficOptions {
  rateLimits: RateLimitsConfig;
  metrics: Metrics;
  /** By layer and unit. */
  refusals: Counters;
  now?: () => number;
}

export function createModelTraffic({
  rateLimits,
  metrics,
  refusals,
  now = () => performance.now(),
}: ModelTrafficOptions): ModelTraffic {
  const callers = callerTokens(rateLimits);
  const gates = new Map<string, DeploymentGate>();
  const calls = metrics.counters('bloomery_model_calls_total', 'Model calls that have ended, by outcome.');
  const tokens = metrics.counters('bloomery_model_tokens_total', 'Tokens that models took and gave.');
  const underWay = new Map<string, { count: number }>();
  const perDeployment = (value: (name: string) => number | undefined) => () =>
    [...underWay.keys()].flatMap((deployment) => {
      const found = value(deployment);
      return found === undefined ? [] : [[{ deployment }, found] as const];
    });
  metrics.gauges(
    'bloomery_model_calls',
    'Model calls under way.',
    perDeployment((name) => underWay.get(name)?.count),
  );
  metrics.gauges(
    'bloomery_model_calls_waiting',
    'Model calls that wait for a place of their deployment.',
    perDeployment((name) => gates.get(name)?.slots?.waiting),
  );
  return {
    govern(deployment, provider) {
      const { name } = deployment;
      const gate = new DeploymentGate({
        name,
        limits: deployment.limits ?? null,
        callers,
        waitSeconds: rateLimits.waitSeconds,
        now,
        refused: (layer, unit) => refusals.of({ layer, unit }).add(),
      });
      const running = { count: 0 };
      gates.set(name, gate);
      underWay.set(name, running);
      return governed(provider, gate, {
        running,
        ended: {
          completed: calls.of({ deployment: name, outcome: 'completed' }),
          failed: calls.of({ deployment: name, outcome: 'failed' }),
          aborted: calls.of({ deployment: name, outcome: 'aborted' }),
        },
        input: tokens.of({ deployment: name, kind: 'input' }),
        output: tokens.of({ deployment: name, kind: 'output' }),
      });
    },
  };
}

/** The tokens of each project and key, over all deployments; null where nobody's are limited. */
function callerTokens({ project, projects, key }: RateLimitsConfig) {
  const all = [project, key, ...Object.values(projects)];
  if (all.every(({ tokensPerMinute }) => tokensPerMinute === null)) return null;
  const terms = (limit: number | null, layer: string, whose: string, target: string) =>
    limit === null
      ? null
      : {
          unit: 'tokens' as const,
          limit,
          milliseconds: 60_000,
          layer,
          target,
          description: `${whose} may use ${limit} tokens a minute`,
        };
  return {
    projects: new RateLimitsBy((name) =>
      Object.hasOwn(projects, name)
        ? terms(
            projects[name]?.tokensPerMinute ?? null,
            'project',
            `Project '${name}'`,
            `rateLimits.projects.${name}.tokensPerMinute`,
          )
        : terms(
            project.tokensPerMinute,
            'project',
            `Project '${name}'`,
            'rateLimits.project.tokensPerMinute',
          ),
    ),
    keys: new RateLimitsBy(() =>
      terms(key.tokensPerMinute, 'key', 'Each key', 'rateLimits.key.tokensPerMinute'),
    ),
  };
}
