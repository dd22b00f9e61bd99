/** The commands of resources: one way for all of them, from the tables of the client and of `resources.ts`. */
import { createWriteStream, openAsBlob, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  BrokenStreamError,
  callNamed,
  FoundryError,
  type LooseCall,
  NoAnswerError,
} from '../client/index.ts';
import type { Route } from '../client/route.ts';
import { routes } from '../client/routes.ts';
import { clientFor, type Whereabouts } from './api-call.ts';
import { UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { progress } from './progress.ts';
import { table } from './resource-table.ts';
import { wordsOf } from './resource-words.ts';
import { type Resource, type ResourceName, resources } from './resources.ts';
import { type RunValues, runResponse } from './run-response.ts';
import { suggestion } from './suggestion.ts';

interface Values extends Whereabouts, Partial<RunValues> {
  file: string | null;
  limit: string;
  json: boolean;
  output?: string | null;
  purpose?: string;
}

interface Task {
  name: ResourceName;
  resource: Resource;
  action: string;
  words: string[];
  values: Values;
  route: Route;
}

export async function resource(
  name: ResourceName,
  { values, words: [action, ...words] }: { values: Values; words: string[] },
): Promise<number> {
  const task = taskOf(name, action, words, values);
  const body = bodyOf(task);
  const client = clientFor(values, name);
  // Who reads may have seen enough.
  process.stdout.once('error', () => process.exit(exitCodes.ok));
  if (action === 'run') return runResponse(client, words[0] ?? '-', values).catch(explain);
  const call = callNamed(client, task.resource.family, task.resource.actions[task.action] ?? '');
  if (call === undefined) throw new Error(`The client has no such call: ${name} ${action}`);
  await carryOut(task, call, body).catch(explain);
  return exitCodes.ok;
}

/** What a service was asked about is found by the ids. */
function explain(error: unknown): never {
  if (error instanceof NoAnswerError || error instanceof BrokenStreamError) {
    const asked = `x-ms-client-request-id ${error.clientRequestId}`;
    throw new CommandError(exitCodes.failure, `${error.message}\n${asked}`);
  }
  if (!(error instanceof FoundryError)) throw error;
  const { status, code, target, requestId, clientRequestId } = error;
  const place = target === null ? '' : ` (${target})`;
  const ids = `x-request-id ${requestId ?? 'unknown'}, x-ms-client-request-id ${clientRequestId}`;
  throw new CommandError(exitCodes.failure, `${error.message}\n${status} ${code}${place}, ${ids}`);
}

function taskOf(name: ResourceName, action: string | undefined, words: string[], values: Values): Task {
  const found: Resource = resources[name];
  const wrong = (message: string) => new UsageError(message, name);
  const known = Object.keys(found.actions);
  if (action === undefined) throw wrong(`Say what to do: ${known.join(', ')}.`);
  const operation = Object.hasOwn(found.actions, action) ? found.actions[action] : undefined;
  if (operation === undefined) {
    throw wrong(
      `'${action}' is no action. ${suggestion(action, known) ?? `Actions are ${known.join(', ')}.`}`,
    );
  }
  const wanted = wordsOf(found, action);
  if (words.length < wanted.length && action !== 'run') {
    throw wrong(`Which? ${action} ${wanted.join(' ')}`);
  }
  const extra = words[wanted.length];
  if (extra !== undefined) throw wrong(`\`${action}\` takes no '${extra}'.`);
  const route = (routes[found.family] as Record<string, Route>)[operation];
  if (route === undefined) throw new Error(`No route: ${name} ${operation}`);
  return { name, resource: found, action, words, values, route };
}

/** Of the actions that send one. */
function bodyOf({ name, action, values: { file }, route }: Task): unknown {
  const sendsBody = route.hasBody === true && route.consumes === undefined && action !== 'run';
  if (file === null) {
    if (sendsBody && !route.bodyOptional) throw new UsageError(`${action} needs --file FILE`, name);
    return undefined;
  }
  if (!sendsBody) throw new UsageError(`--file is not for \`${action}\`.`, name);
  const place = file === '-' ? 'stdin' : file;
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new CommandError(exitCodes.failure, `${place} cannot be read as JSON: ${(error as Error).message}`);
  }
}

async function carryOut(task: Task, call: LooseCall, body: unknown): Promise<void> {
  const { route, words, action, values } = task;
  if (route.consumes !== undefined) return print(values, await upload(task, call));
  const places = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, place = '']) => place);
  const input = { params: Object.fromEntries(places.map((place, at) => [place, words[at]])), body };
  if (call.all !== undefined && action !== 'get') return list(task, call.all(input));
  if (route.answersBytes) return download((await call(input)) as Response, values.output ?? null, words);
  const answer = await call(input);
  const isPlain = answer === undefined || (answer as { deleted?: unknown }).deleted === true;
  if (!isPlain) return print(values, answer);
  if (values.json) return print(values, answer ?? { done: true });
  process.stdout.write(`${action} ${words.join(' ')}: done\n`);
}

const print = ({ json }: Values, answer: unknown): void => {
  process.stdout.write(`${JSON.stringify(answer, null, json ? 0 : 2)}\n`);
};

async function list({ name, resource: { columns }, values }: Task, elements: AsyncIterable<unknown>) {
  const most = Number(values.limit);
  if (!/^[1-9]\d{0,6}$/.test(values.limit)) {
    throw new UsageError(`--limit must be a number from 1 to 9999999, not '${values.limit}'.`, name);
  }
  const found: unknown[] = [];
  let isCut = false;
  for await (const element of elements) {
    isCut = found.length === most;
    if (isCut) break;
    found.push(element);
  }
  process.stdout.write(`${values.json ? JSON.stringify(found) : table(found, columns)}\n`);
  if (isCut) process.stderr.write(`These are the first ${most}; --limit takes more.\n`);
}

async function upload({ words: [path = ''], values }: Task, call: LooseCall): Promise<unknown> {
  const blob = await Promise.try(openAsBlob, path).catch((error: Error) => {
    throw new CommandError(exitCodes.failure, `${path} cannot be read: ${error.message}`);
  });
  const bar = progress(basename(path), blob.size);
  const file = new File([blob], basename(path));
  const body = { purpose: values.purpose, file };
  const answer = await call({ body }, { onProgress: bar.show });
  bar.end();
  return answer;
}

async function download(answer: Response, output: string | null, words: string[]): Promise<void> {
  const length = Number(answer.headers.get('content-length') ?? Number.NaN);
  const bar = output === null ? null : progress(words.at(-1) ?? '', Number.isNaN(length) ? null : length);
  let bytes = 0;
  async function* counted() {
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.byteLength;
      bar?.show(bytes);
      yield chunk;
    }
  }
  const target = output === null ? process.stdout : createWriteStream(output);
  await pipeline(Readable.from(counted(), { objectMode: false }), target, { end: output !== null });
  bar?.end();
}
