import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { stopping } from '../errors.ts';
import { furtherActions } from '../kit/data-action.ts';
import type { ProjectGate } from '../kit/project-gate.ts';
import type { Principal } from '../trust/principal.ts';
import { checkApiVersion } from './api-version.ts';
import { type AuditTrail, auditRequest } from './audit.ts';
import { authenticate, type Credentials } from './authentication.ts';
import { type Authorization, passAuthorization } from './authorization.ts';
import { correlate } from './correlation.ts';
import { Exchange } from './exchange.ts';
import type { Load } from './load.ts';
import type { RequestFigures } from './request-figures.ts';
import { giveUpStalledBodies, isOnItsWay } from './stalled-bodies.ts';

export interface PipelineOptions {
  credentials: Credentials;
  authorization: Authorization;
  /** Null where nothing is kept. */
  audit: AuditTrail | null;
  projects: ProjectGate;
  load: Load;
  /** How long the body of a request may stand still, in seconds. */
  bodyIdleSeconds: number;
  figures: RequestFigures;
  log: Logger;
  /** Whether every answer says that nobody has configured who may call. */
  development: boolean;
}

export interface Pipeline {
  /** Ends the work for requests under way, and takes no more: the server stops. */
  interrupt(): void;
}

export const developmentHeader = ['x-bloomery-mode', 'development'] as const;

/** The conventions that every request passes before its handler, in their order. */
export function installPipeline(app: FastifyInstance, options: PipelineOptions): Pipeline {
  const { load, figures } = options;
  const underWay = new Map<Exchange, FastifyReply>();
  /** Answered before their bodies were whole. */
  const answered = new Set<FastifyReply>();
  let interrupted = false;

  const keepAnEyeOn = (reply: FastifyReply): void => {
    answered.add(reply);
    reply.request.raw.once('close', () => answered.delete(reply));
  };
  const stalled = giveUpStalledBodies(
    () => [...underWay.values(), ...answered],
    options.bodyIdleSeconds,
    (error) => options.log.error({ err: error }, 'stalled bodies could not be given up'),
  );
  stalled.start();
  app.addHook('onClose', stalled.close);

  app.decorateRequest('exchange', null as unknown as Exchange);

  app.addHook('onRequest', (request, reply, done) => {
    try {
      const exchange = new Exchange(request, reply);
      request.exchange = exchange;
      underWay.set(exchange, reply);
      correlate(request, reply);
      if (options.development) reply.header(...developmentHeader);
      const { hasOwnPlaces } = request.routeOptions.config;
      if (!hasOwnPlaces) reply.raw.once('prefinish', () => load.answered(exchange));
      reply.raw.once('close', () => {
        if (!hasOwnPlaces) load.leave(exchange);
        underWay.delete(exchange);
        if (options.audit !== null) auditRequest(options.audit, request, reply);
        if (isOnItsWay(request.raw)) keepAnEyeOn(reply);
        figures.ended(request, reply);
        if (exchange.project !== '') options.projects.leave(exchange.project, exchange);
        if (options.log.isLevelEnabled('info')) logRequest(options.log, request, reply);
      });
      if (!hasOwnPlaces) load.enter();
      if (interrupted) throw stopping();
      // By the route, never by the text of the URL: the router reads that in ways of its own.
      if (request.routeOptions.config.isPublic === true) return done();
      const principal = authenticate(request, options.credentials);
      const proceed = (known: Principal): void | Promise<void> => {
        request.exchange.principal = known;
        const { projects } = options;
        passAuthorization(request, options.authorization, projectAsked(request, projects));
        const entering = enterProject(request, projects, (project) =>
          options.authorization.allows(known, furtherActions.makeProject, project),
        );
        return entering === undefined ? pass() : entering.then(pass);
      };
      const pass = (): void => {
        enterApiVersion(request, reply);
        passPreviewGate(request);
        load.admit(exchange, request);
      };
      const proceeding = principal instanceof Promise ? principal.then(proceed) : proceed(principal);
      if (proceeding === undefined) return done();
      proceeding.then(() => done(), done);
    } catch (error) {
      done(error as Error);
    }
  });
  return {
    interrupt() {
      interrupted = true;
      for (const exchange of underWay.keys()) exchange.interrupt(stopping());
    },
  };
}

function logRequest(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  log.info(
    {
      requestId: request.id,
      project: request.exchange.project === '' ? undefined : request.exchange.project,
      operation: request.routeOptions.config.operation?.summary,
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.raw.statusCode,
      complete: reply.raw.writableFinished,
      ms: Math.round((performance.now() - request.exchange.startedAt) * 10) / 10,
    },
    'request',
  );
}

/** The name of the project that a route is below; null where it is below none. */
function projectAsked(request: FastifyRequest, projects: ProjectGate): string | null {
  const { project } = request.params as { project?: string };
  return project === undefined ? null : projects.named(project);
}

/** A promise only where the project is made by this request. */
function enterProject(
  request: FastifyRequest,
  projects: ProjectGate,
  mayMake: (project: string) => boolean,
): Promise<void> | undefined {
  const name = (request.params as { project?: string }).project;
  if (name === undefined) return undefined;
  const { exchange } = request;
  const entered = projects.enter(name, exchange, () => mayMake(projects.named(name)));
  if (typeof entered === 'string') {
    exchange.project = entered;
    return undefined;
  }
  return entered.then((project) => {
    exchange.project = project;
    // Whoever has gone meanwhile has left already.
    if (request.socket.destroyed) projects.leave(project, exchange);
  });
}

function enterApiVersion(request: FastifyRequest, reply: FastifyReply): void {
  const { mount } = request.routeOptions.config;
  // An unmatched path is asked for its version as well: `{base}/responses` lacks just that.
  if (mount === 'openai' || mount === 'admin' || (mount === undefined && request.url.includes('/openai/v1')))
    return;
  const { version, notice } = checkApiVersion((request.query as Record<string, unknown>)['api-version']);
  request.exchange.apiVersion = version;
  if (notice !== null) reply.header('x-ms-api-version-notice', notice);
}

function passPreviewGate(request: FastifyRequest): void {
  const { operation } = request.routeOptions.config;
  if (operation?.preview === undefined) return;
  // Page two of a listing is followed without the header by the SDKs; the token shows that page one had it.
  if ((request.query as Record<string, unknown>).skipToken !== undefined) return;
  request.exchange.requireFeature(operation.preview, operation.summary);
}
