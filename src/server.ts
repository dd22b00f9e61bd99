/** Starts a whole server and returns what a client needs to reach it. */
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import {
  connectionBudget,
  connectionDirectory,
  createFamilies,
  migrations,
  openProjects,
  projectSealer,
} from './families/index.ts';
import { ActiveFaults, type FiredFault } from './faults/active-faults.ts';
import { readPlanFile, startPlan } from './faults/plan-file.ts';
import { installBlobRoutes } from './http/blob-routes.ts';
import { watchDisk } from './http/disk-space.ts';
import { identityPath, installIdentityEndpoint } from './http/identity-endpoint.ts';
import { type Listener, listen } from './http/listener.ts';
import { storageFigures } from './http/storage-figures.ts';
import { recurring } from './kit/recurring.ts';
import { createLog } from './log.ts';
import { openBlobs } from './providers/blobs/open-blobs.ts';
import { documentsThread } from './providers/documents/documents-thread.ts';
import { ProjectScenarios } from './providers/models/builtin/scenarios/project-scenarios.ts';
import { createModelGateway } from './providers/models/gateway.ts';
import { createModelTraffic } from './providers/models/model-traffic.ts';
import { createOutbound } from './providers/outbound/create-outbound.ts';
import { openSearchIndex } from './providers/search/open-search-index.ts';
import { openTraceSink } from './providers/telemetry/open-sink.ts';
import type { TraceSink } from './providers/telemetry/sink.ts';
import { serverTools } from './providers/tools/index.ts';
import type { ServerTool } from './providers/tools/tool.ts';
import { openSearchProvider } from './providers/tools/web-search/search-provider.ts';
import { credentialsOf, hasIdentity } from './server-identity.ts';
import { lockDataDirectory } from './storage/data-lock.ts';
import { databaseBytes, openDatabase } from './storage/database.ts';
import { keptAnswerStore } from './storage/kept-answers.ts';
import type { Metrics } from './traffic/metrics.ts';
import { processFigures } from './traffic/process-figures.ts';
import { trafficFigures } from './traffic/traffic-figures.ts';
import { auditKeys } from './trust/audit-keys.ts';
import { openAuditLog } from './trust/audit-log.ts';
import { refuseUnguarded } from './trust/beyond-loopback.ts';
import { ensureCertificates } from './trust/certificates.ts';
import { ensureCredentials } from './trust/credentials.ts';
import { derivedKey } from './trust/derived-key.ts';
import { ownIdentity } from './trust/own-identity.ts';
import { underPassphrase } from './trust/passphrase.ts';
import { createRoles } from './trust/roles.ts';
import { createSealer } from './trust/sealing.ts';
import { sealingKeys, sealingKeyVariable } from './trust/sealing-keys.ts';
import { createTokenIssuer } from './trust/tokens.ts';

export interface ServerOptions {
  /** 0 takes any free port. */
  port: number;
  host: string;
  dataDirectory: string;
  config: Config;
  /** A fixed key instead of the one made at random on first start. */
  apiKey: string | null;
  logLevel: string;
  /** A YAML file with a fault plan to start with. */
  faults?: string | null;
  /** Whether the data directory goes away with the server. */
  isTemporary?: boolean;
  /** Tools that run on the server, besides its own. */
  tools?: ServerTool[];
}

export interface RunningServer {
  /** `https://HOST:PORT/api/projects/PROJECT` */
  endpoint: string;
  /** `http://127.0.0.1:PORT/msi/token`, the managed-identity endpoint. */
  identityEndpoint: string;
  identityHeader: string;
  /** Null where the server knows only the key's hash. */
  readonly apiKey: string | null;
  /** Is told when another key, or none, takes the place of that one. */
  onApiKeyChanged(listener: (apiKey: string | null) => void): void;
  /** Whether nobody has configured who may call, and the machine is all that guards it. */
  development: boolean;
  /** The certificate of the local CA, PEM. */
  caFile: string;
  /** The system's roots and our CA in one PEM file. */
  caBundleFile: string;
  dataDirectory: string;
  port: number;
  /** Names of the model deployments, `builtin` last. */
  deployments: string[];
  /** Ends streams properly, finishes what was accepted, closes the store. Safe to call twice. */
  close(): Promise<void>;
}

const answerSweepMilliseconds = 600_000;
const certificateCheckMilliseconds = 12 * 3_600_000;
/** After the last stream has been ended, its bytes still have to reach the client. */
const lastBytesMilliseconds = 1000;

/** What was opened last is closed first; a start that fails half-way closes what it had opened. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const closers: (() => unknown)[] = [];
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      for (const closer of closers.reverse()) await closer();
    })();
    return closed;
  };
  try {
    return await start(options, (closer) => closers.push(closer), close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  {
    port,
    host,
    dataDirectory,
    config,
    apiKey: fixedKey,
    logLevel,
    faults: planFile = null,
    isTemporary = false,
    tools = [],
  }: ServerOptions,
  onClose: (closer: () => unknown) => void,
  close: () => Promise<void>,
): Promise<RunningServer> {
  const firstPlan = planFile === null ? null : readPlanFile(planFile);
  const log = createLog(logLevel);
  onClose(() => log.close());
  let traces: TraceSink | null = null;
  // Behind all that ends responses, and behind the lock: a successor need not wait for a slow receiver.
  onClose(() => traces?.close());
  const lock = lockDataDirectory(dataDirectory);
  onClose(() => lock.release());

  const traffic = trafficFigures();
  const { metrics, refusals } = traffic;
  onClose(processFigures(metrics));
  const faults = new ActiveFaults({ fired: tellOfFaults(metrics, log.logger) });
  const projectScenarios = new ProjectScenarios();
  const tlsNames = isUnspecified(host) ? config.tlsNames : [...config.tlsNames, host];
  const [certificates, database, models, tokens] = await Promise.all([
    ensureCertificates(dataDirectory, tlsNames),
    openDatabase(dataDirectory, migrations).then((opened) => {
      onClose(() => opened.destroy());
      return opened;
    }),
    createModelGateway({
      config,
      environment: process.env,
      ownPort: port,
      log: log.logger,
      traffic: createModelTraffic({ rateLimits: config.rateLimits, metrics, refusals }),
      projectScenarios,
    }),
    createTokenIssuer({ directory: dataDirectory, identities: config.identity.local }),
  ]);
  const owner = ensureCredentials(dataDirectory, { fixedKey, makeKey: isLoopback(host) });
  const { identityHeader, keys } = owner;
  traces = await openTraceSink(config.telemetry, models, log.logger);

  const hasChosenAuthentication = owner.hasChosenKey || hasIdentity(config);
  if (!isLoopback(host)) {
    refuseUnguarded({ host, directory: dataDirectory, hasChosenAuthentication, fixedKey, isTemporary });
  }
  const development = isLoopback(host) && !hasIdentity(config);
  const seals = sealingKeys(dataDirectory, process.env[sealingKeyVariable]);
  const [dataKey] = seals;
  const audit = await openAuditLog({
    ...{ dataDirectory, keys: auditKeys(dataDirectory) },
    ...config.audit,
    log: log.logger,
  });
  onClose(() => audit.close());
  const projects = await openProjects(database, {
    configured: config.projects,
    createOnUse: config.createProjectsOnUse ?? development,
    most: config.limits.projects,
  });
  const sealer = projectSealer(createSealer(seals), projects.sealsOf);
  const connections = connectionDirectory(
    config.connections,
    database,
    sealer,
    connectionBudget(config.limits),
  );
  let ownPort: number | null = null;
  const ownAddress = { names: tlsNames, port: () => ownPort };
  const outbound = createOutbound(
    { allowLoopback: isLoopback(host), ...config.outbound },
    { own: { ...ownAddress, ca: certificates.ca } },
  );
  const search = config.webSearch === null ? null : await openSearchProvider(config.webSearch);
  const blobs = openBlobs(config.blobs, {
    directory: join(dataDirectory, 'blobs'),
    key: derivedKey(dataKey, 'blob account', 64),
  });
  onClose(() => blobs.own.close());
  const { concurrency, memoryMegabytes, timeoutSeconds } = config.documents;
  const documents = documentsThread(
    { processes: concurrency, bounds: { memoryMegabytes, seconds: timeoutSeconds } },
    log.logger,
  );
  onClose(() => documents.close());
  const index = openSearchIndex({
    directory: dataDirectory,
    memoryMegabytes: config.vectorStores.searchMegabytes,
  });
  onClose(() => index.close());
  const identity = ownIdentity(tokens, ownAddress);
  const { families, recover, drain, budgets, background } = createFamilies({
    database,
    directory: dataDirectory,
    models,
    limits: config.limits,
    tools: [...tools, ...serverTools({ outbound, connections: connections.tools, identity, search, models })],
    codeInterpreter: { ...config.codeInterpreter, directory: join(dataDirectory, 'containers') },
    blobs: { ...config.blobs, own: blobs.own },
    outbound,
    connections,
    documents,
    vectorStores: { ...config.vectorStores, documents, index },
    sealer,
    passphrases: underPassphrase,
    apiKeys: { keys, roles: createRoles(config.roles) },
    projects,
    faults,
    scenarios: projectScenarios,
    log: log.logger,
    traces,
  });
  if (firstPlan !== null) faults.putFile(startPlan, firstPlan);
  await recover();
  const { keptAnswers: most, keptAnswerHours } = config.limits;
  const answers = keptAnswerStore(database, { sealer, most, seconds: keptAnswerHours * 3600 });
  await answers.start();
  const oldAnswers = recurring(answerSweepMilliseconds, answers.sweep, (error) =>
    log.logger.warn({ err: error }, 'old answers could not be removed'),
  );
  oldAnswers.start();
  onClose(() => oldAnswers.close());
  const disk = watchDisk(dataDirectory, config.limits.diskFreeBytes);
  storageFigures(metrics, { budgets, background, disk, databaseBytes: () => databaseBytes(dataDirectory) });
  const app = await createApp({
    config,
    credentials: credentialsOf(config, { keys, tokens, isLocal: isLoopback(host), log: log.logger }),
    development,
    families,
    repeats: { answers, secret: derivedKey(dataKey, 'repeated requests', 32) },
    projects,
    log: log.logger,
    audit: { ...audit, reads: config.audit.reads },
    traffic,
    disk,
    faults,
    installPublicRoutes(to) {
      installIdentityEndpoint(to, tokens, identityHeader, config.identity.local);
      if (blobs.served === null) return;
      installBlobRoutes(to, {
        ...blobs.served,
        most: Math.max(1, Math.floor(config.limits.concurrentRequests / 2)),
        refused: () => refusals.of({ layer: 'blobs', unit: 'concurrency' }).add(),
        disk,
      });
    },
  });
  onClose(() => app.close());

  const listener = await listen(app.routing as RequestListener, {
    host,
    port,
    tls: { key: certificates.key, cert: certificates.certificate },
    onUpgrade: app.webSockets.upgrade,
  });
  ownPort = listener.port;
  const drainMilliseconds = config.limits.drainSeconds * 1000;
  onClose(async () => {
    app.webSockets.drain();
    const listenerClosed = listener.close(drainMilliseconds + lastBytesMilliseconds);
    const interruption = setTimeout(app.interrupt, drainMilliseconds);
    await drain(drainMilliseconds);
    await listenerClosed;
    clearTimeout(interruption);
  });
  const renewal = renewCertificates(listener, dataDirectory, tlsNames, log.logger);
  onClose(() => clearInterval(renewal));

  const project = encodeURIComponent(config.projects[0] ?? 'default');
  return {
    endpoint: `https://${clientHost(host)}:${listener.port}/api/projects/${project}`,
    identityEndpoint: `${identityOrigin(host)}:${listener.port}${identityPath}`,
    identityHeader,
    get apiKey() {
      return owner.apiKey;
    },
    onApiKeyChanged: owner.onApiKeyChanged,
    development,
    caFile: certificates.caFile,
    caBundleFile: certificates.caBundleFile,
    dataDirectory,
    port: listener.port,
    deployments: models.list().map((deployment) => deployment.name),
    close,
  };
}

function renewCertificates(
  listener: Listener,
  dataDirectory: string,
  names: string[],
  log: Logger,
): NodeJS.Timeout {
  const renew = async (): Promise<void> => {
    const { key, certificate } = await ensureCertificates(dataDirectory, names);
    listener.renew({ key, cert: certificate });
  };
  return setInterval(() => {
    // The one in use goes on being valid for weeks.
    renew().catch((error) => log.warn({ err: error }, 'the certificate could not be renewed'));
  }, certificateCheckMilliseconds).unref();
}

function tellOfFaults(metrics: Metrics, log: Logger): (fired: FiredFault) => void {
  const counts = metrics.counters('bloomery_faults_total', 'Faults that fault plans have caused, by kind.');
  return ({ rule, fault, number: _number, time: _time, ...fired }) => {
    counts.of({ fault }).add();
    log.warn({ fault: rule, kind: fault, ...fired }, 'planned fault');
  };
}

const isUnspecified = (host: string): boolean => host === '0.0.0.0' || host === '::';
const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
const isLocal = (host: string): boolean => isLoopback(host) || isUnspecified(host);
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Clients look `localhost` up to addresses of both families; a server of one of them only is named by it. */
const clientHost = (host: string): string => (isUnspecified(host) ? 'localhost' : bracketed(host));

/** Azure's clients ask for tokens over plain HTTP, which only loopback gets. */
const identityOrigin = (host: string): string =>
  isLocal(host) ? `http://${host === '::1' ? '[::1]' : '127.0.0.1'}` : `https://${bracketed(host)}`;
