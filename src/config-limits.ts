import Type, { type Static } from 'typebox';
import { bound, closed, defaultOf } from './config-shapes.ts';

/** Every bound of the server, by name, so that an operator can move it. */
export interface Limits {
  /** Largest request body, in bytes. */
  bodyBytes: number;
  /** Largest file that is uploaded in one request, in bytes. */
  fileBytes: number;
  /** Largest file that is uploaded in parts, in bytes. */
  uploadBytes: number;
  /** Largest part of such a file, in bytes. */
  uploadPartBytes: number;
  /** What the files that one response names may have together, in bytes. */
  inputFileBytes: number;
  /** How long the body of a request may stand still, in seconds, before the request is refused with 408. */
  bodyIdleSeconds: number;
  /** How long the addresses that one request names may take to be read, in seconds. */
  inputFetchSeconds: number;
  /** Requests under way at once; more are refused with 503 and `Retry-After`. */
  concurrentRequests: number;
  /** Streams that are written at once. */
  concurrentStreams: number;
  /** WebSockets that are open at once. */
  webSockets: number;
  /** What one project may hold of the three bounds above when no other asks, in percent. */
  projectSharePercent: number;
  /** How long one stream may last, in seconds. */
  streamSeconds: number;
  /** What has to be free on the disk of the data directory for anything to be written, in bytes; 0 for no check. */
  diskFreeBytes: number;
  /** Agents of a project. */
  agents: number;
  /** Versions of an agent. */
  agentVersions: number;
  /** Files of a project. */
  projectFiles: number;
  /** What the files of a project have together, in bytes. */
  projectFilesBytes: number;
  /** Uploads in parts of a project that have not ended. */
  uploads: number;
  /** Vector stores of a project. */
  projectVectorStores: number;
  /** Versions of datasets, indexes and models of a project, together. */
  assets: number;
  /** Connections of a project that were made by its callers. */
  projectConnections: number;
  /** Items of a conversation, deleted ones included. */
  conversationItems: number;
  /** Conversations of a project. */
  conversations: number;
  /** Responses that are stored of a project. */
  storedResponses: number;
  /** Chat completions that are stored of a project. */
  storedCompletions: number;
  /** Containers of a project that are not over. */
  containers: number;
  /** How long a response may hold its conversation without a sign of life, in seconds. */
  conversationLeaseSeconds: number;
  /** How long a turn waits for a conversation that is held, in seconds, before it is refused. */
  conversationWaitSeconds: number;
  /** How long a stopping server waits for requests under way, in seconds. */
  drainSeconds: number;
  /** Items that one response may take from its conversation or chain of responses. */
  contextItems: number;
  /** Background responses that run at once; further ones wait in a queue. */
  backgroundConcurrency: number;
  /** Background responses that may wait; beyond it they are refused with 429. */
  backgroundQueue: number;
  /** How long the event log of a response is kept whole, in days. */
  eventLogDays: number;
  /** Answers to requests that may be repeated that are kept of one project. */
  keptAnswers: number;
  /** How long such an answer is kept, in hours. */
  keptAnswerHours: number;
  /** The largest such answer that is kept, in bytes. */
  keptAnswerBytes: number;
  /** Projects that there may be. */
  projects: number;
}

export const LimitsFile = Type.Object(
  {
    bodyBytes: bound(1024, 1_073_741_824, 33_554_432),
    fileBytes: bound(1024, 1_099_511_627_776, 536_870_912),
    uploadBytes: bound(1024, 1_099_511_627_776, 8_589_934_592),
    uploadPartBytes: bound(1024, 1_073_741_824, 67_108_864),
    inputFileBytes: bound(1024, 268_435_456, 33_554_432),
    bodyIdleSeconds: bound(1, 3600, 60),
    inputFetchSeconds: bound(1, 300, 30),
    concurrentRequests: bound(1, 100_000, 1000),
    concurrentStreams: bound(1, 100_000, 1000),
    webSockets: bound(1, 100_000, 500),
    projectSharePercent: bound(1, 100, 80),
    streamSeconds: bound(1, 604_800, 3600),
    diskFreeBytes: bound(0, 1_099_511_627_776, 268_435_456),
    agents: bound(1, 1_000_000, 10_000),
    agentVersions: bound(1, 1_000_000, 10_000),
    projectFiles: bound(1, 1_000_000, 100_000),
    projectFilesBytes: bound(1024, 1_125_899_906_842_624, 107_374_182_400),
    uploads: bound(1, 1_000_000, 1000),
    projectVectorStores: bound(1, 1_000_000, 10_000),
    assets: bound(1, 1_000_000, 100_000),
    projectConnections: bound(1, 1_000_000, 1000),
    conversationItems: bound(1, 1_000_000, 20_000),
    conversations: bound(1, 100_000_000, 1_000_000),
    storedResponses: bound(1, 1_000_000_000, 10_000_000),
    storedCompletions: bound(1, 1_000_000_000, 10_000_000),
    containers: bound(1, 1_000_000, 10_000),
    conversationLeaseSeconds: bound(5, 3600, 60),
    conversationWaitSeconds: bound(0, 600, 0),
    drainSeconds: bound(0, 600, 10),
    contextItems: bound(1, 1_000_000, 10_000),
    backgroundConcurrency: bound(1, 1000, 16),
    backgroundQueue: bound(0, 1_000_000, 1000),
    eventLogDays: bound(0, 36_500, 30),
    keptAnswers: bound(1, 10_000_000, 100_000),
    keptAnswerHours: bound(1, 8760, 24),
    keptAnswerBytes: bound(1024, 67_108_864, 1_048_576),
    projects: bound(1, 1_000_000, 1000),
  },
  closed,
);

export function limitsConfig(given: Static<typeof LimitsFile>): Limits {
  const schemas = LimitsFile.properties;
  const limits = Object.entries(schemas).map(([name, schema]) => [
    name,
    given[name as keyof Limits] ?? defaultOf<number>(schema),
  ]);
  return Object.fromEntries(limits) as Limits;
}
