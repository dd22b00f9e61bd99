import Type, { type Static } from 'typebox';

/** How much may be asked of the server in a minute, and at once. */

const closed = { additionalProperties: false } as const;
const perMinute = () => Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 }));
const atOnce = () => Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 }));

const usualQueue = 64;
const usualWindowSeconds = 10;
const usualWaitSeconds = 60;

export const DeploymentLimits = Type.Object(
  {
    requestsPerMinute: perMinute(),
    windowSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, default: usualWindowSeconds })),
    tokensPerMinute: perMinute(),
    concurrency: atOnce(),
    queue: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, default: usualQueue })),
  },
  { ...closed, minProperties: 1 },
);

const RequestsOnly = Type.Object({ requestsPerMinute: perMinute() }, closed);
const OfCallers = Type.Object(
  { requestsPerMinute: perMinute(), tokensPerMinute: perMinute(), concurrency: atOnce() },
  closed,
);

/** `projects` is checked against `name`, the pattern of names of projects. */
export const rateLimitsSchema = (name: RegExp, rule: string) =>
  Type.Object(
    {
      region: Type.Optional(RequestsOnly),
      preview: Type.Optional(RequestsOnly),
      project: Type.Optional(OfCallers),
      projects: Type.Optional(
        Type.Unsafe<Record<string, Static<typeof OfCallers>>>({
          type: 'object',
          propertyNames: { pattern: name.source, rule: `have ${rule}` },
          additionalProperties: OfCallers,
          maxProperties: 10_000,
        }),
      ),
      key: Type.Optional(OfCallers),
      waitSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, default: usualWaitSeconds })),
    },
    closed,
  );

type RateLimitsEntry = Static<ReturnType<typeof rateLimitsSchema>>;

/** Bounds on what a project or a key may ask for; null for none. */
export interface CallerLimits {
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** Requests under way at once. */
  concurrency: number | null;
}

export interface RateLimitsConfig {
  /** Of all requests to the server; null for no bound. */
  regionRequestsPerMinute: number | null;
  /** Of requests for operations in preview, from all projects together. */
  previewRequestsPerMinute: number | null;
  /** Of each project that `projects` says nothing of. */
  project: CallerLimits;
  projects: Record<string, CallerLimits>;
  /** Of each key, and of each subject of tokens. */
  key: CallerLimits;
  /** How long a model call that nobody waits for by the second may wait for its turn, in seconds. */
  waitSeconds: number;
}

/** Bounds on the calls of a deployment. */
export interface DeploymentLimitsConfig {
  requestsPerMinute: number | null;
  /** In any stretch of so many seconds there may be no more than their part of the minute. */
  windowSeconds: number;
  tokensPerMinute: number | null;
  concurrency: number | null;
  /** Calls that may wait for one of the places of `concurrency`. */
  queue: number;
}

const callerLimits = (given: Static<typeof OfCallers> = {}): CallerLimits => ({
  requestsPerMinute: given.requestsPerMinute ?? null,
  tokensPerMinute: given.tokensPerMinute ?? null,
  concurrency: given.concurrency ?? null,
});

/** What a project of its own says counts, and for the rest what is said of every project. */
export function rateLimitsConfig(given: RateLimitsEntry = {}): RateLimitsConfig {
  const projects = Object.entries(given.projects ?? {}).map(([name, own]) => [
    name,
    callerLimits({ ...given.project, ...own }),
  ]);
  return {
    regionRequestsPerMinute: given.region?.requestsPerMinute ?? null,
    previewRequestsPerMinute: given.preview?.requestsPerMinute ?? null,
    project: callerLimits(given.project),
    projects: Object.fromEntries(projects),
    key: callerLimits(given.key),
    waitSeconds: given.waitSeconds ?? usualWaitSeconds,
  };
}

export const deploymentLimitsConfig = (given: Static<typeof DeploymentLimits>): DeploymentLimitsConfig => ({
  requestsPerMinute: given.requestsPerMinute ?? null,
  windowSeconds: given.windowSeconds ?? usualWindowSeconds,
  tokensPerMinute: given.tokensPerMinute ?? null,
  concurrency: given.concurrency ?? null,
  queue: given.queue ?? usualQueue,
});
