/** The only place where things are wired: conventions, families and the pages that need no credential. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { apiError } from './errors.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import type { AuditTrail } from './http/audit.ts';
import type { Credentials } from './http/authentication.ts';
import { type Authorization, createAuthorization } from './http/authorization.ts';
import { bindFamily } from './http/bind.ts';
import { correlate } from './http/correlation.ts';
import type { DiskSpace } from './http/disk-space.ts';
import { sendError } from './http/errors.ts';
import { faultStep } from './http/faults.ts';
import { createLoad } from './http/load.ts';
import { loadFigures } from './http/load-figures.ts';
import { methodsOf } from './http/methods.ts';
import { installMetricsEndpoint } from './http/metrics-endpoint.ts';
import { takeMultipart } from './http/multipart-bodies.ts';
import { developmentHeader, installPipeline } from './http/pipeline.ts';
import { parseQueryString } from './http/query-string.ts';
import { createRepeats, type RepeatOptions } from './http/repeats.ts';
import { requestFigures } from './http/request-figures.ts';
import { routeConstraints } from './http/route-constraints.ts';
import { installWebSockets } from './http/websocket.ts';
import { newRequestId } from './kit/ids.ts';
import type { Family } from './kit/operation.ts';
import { fixedProjects, type ProjectGate } from './kit/project-gate.ts';
import { installOpenApi } from './openapi/route.ts';
import { type TrafficFigures, trafficFigures } from './traffic/traffic-figures.ts';

const longestPathSegment = 1024;

export interface AppOptions {
  config: Config;
  credentials: Credentials;
  families: Family[];
  /** What is needed to answer writes that carry an id of their caller's once; without it such ids are ignored. */
  repeats?: Omit<RepeatOptions, 'answerBytes'>;
  /** Asks the roles of the configuration, unless given: what that costs can be measured. */
  authorization?: Authorization;
  /** Those of the configuration unless given. */
  projects?: ProjectGate;
  log: Logger;
  /** Is told who did what. */
  audit?: AuditTrail | null;
  /** Whether every answer says that nobody has configured who may call; not, unless said. */
  development?: boolean;
  /** Routes outside `/api`, such as the identity endpoint. */
  installPublicRoutes(app: FastifyInstance): void;
  /** Where requests are counted; unless given, nobody else counts there. */
  traffic?: TrafficFigures;
  /** Where data is written; null for nowhere that could be full. */
  disk?: DiskSpace | null;
  /** Fault plans; without them no request meets any. */
  faults?: ActiveFaults | null;
}

export async function createApp(options: AppOptions) {
  const { config, credentials, families, log, audit = null, development = false, disk = null } = options;
  const { metrics, refusals } = options.traffic ?? trafficFigures();
  const { limits, rateLimits } = config;
  const app: FastifyInstance = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: newRequestId,
    bodyLimit: limits.bodyBytes,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: {
      maxParamLength: longestPathSegment,
      querystringParser: parseQueryString as never,
      ignoreTrailingSlash: true,
      constraints: routeConstraints as never,
    },
    frameworkErrors(error, request, reply) {
      correlate(request, reply);
      if (development) reply.header(...developmentHeader);
      sendError(error, request, reply);
    },
  });
  takeJson(app);
  takeMultipart(app, limits, unsupportedMediaType);
  const { authorization = createAuthorization(config.roles) } = options;
  const load = createLoad({ limits, rateLimits, disk, refusals });
  loadFigures(metrics, load);
  const { interrupt } = installPipeline(app, {
    credentials,
    authorization,
    audit,
    projects: options.projects ?? fixedProjects(config.projects),
    load,
    bodyIdleSeconds: limits.bodyIdleSeconds,
    figures: requestFigures(metrics),
    log,
    development,
  });
  const faults = options.faults ? faultStep(options.faults, limits.diskFreeBytes) : null;
  installWebSockets(app, {
    families,
    faults,
    credentials,
    authorization,
    audit,
    bodyBytes: limits.bodyBytes,
    load,
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  const { keptAnswerBytes: answerBytes } = limits;
  const repeats = options.repeats === undefined ? null : createRepeats({ ...options.repeats, answerBytes });
  const streams = { hold: (project: string) => load.hold('streams', project), seconds: limits.streamSeconds };
  for (const family of families) bindFamily(app, family, { repeats, streams, faults });
  installMetricsEndpoint(app, metrics, credentials, authorization);
  installOpenApi(app, families);
  options.installPublicRoutes(app);

  const allowed = methodsOf(families);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = allowed(path);
    const error = methods.includes(request.method)
      ? unsupportedMediaType()
      : methods.length > 0
        ? apiError('method_not_allowed', `${request.method} is not served here; ${methods.join(', ')} is.`, {
            headers: { allow: methods.join(', ') },
          })
        : apiError('not_found', `There is no route ${request.method} ${path.slice(0, 200)}.`);
    sendError(error, request, reply);
  });
  await app.ready();
  return Object.assign(app, { interrupt });
}

/** Takes JSON where it is announced, and where nothing is: some callers leave the header away. Anything else is 415. */
function takeJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const parser = (request: unknown, text: string, done: (error: Error | null, value?: unknown) => void) => {
    if (text.length === 0) done(null, undefined);
    else parse(request as never, text, done as never);
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    parser as never,
  );
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, text: string, done) => {
    if (text.length === 0 || request.headers['content-type'] === undefined)
      return parser(request, text, done);
    done(unsupportedMediaType());
  });
}

const unsupportedMediaType = () =>
  apiError('unsupported_media_type', 'The Content-Type of the request is not supported here.', {
    target: 'Content-Type',
  });
