/** Calls made of routes: plain, raw, as a stream, through all pages. */
import { addressOf } from './addresses.ts';
import { bodyFor } from './bodies.ts';
import { eachPage, elementsOf, type Next, type Page } from './pages.ts';
import { type CallOptions, type Clock, type Outgoing, readText, type Send } from './request.ts';
import type { RetryPolicy } from './retry.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';
import { type EventStream, openStream } from './streams.ts';

export interface Input {
  params?: object | undefined;
  query?: object | undefined;
  body?: unknown;
}

/** A call whose types nobody knows before it runs. */
export interface LooseCall {
  (input?: Input, options?: CallOptions): Promise<unknown>;
  raw(input?: Input, options?: CallOptions): Promise<Response>;
  stream?(input?: Input, options?: CallOptions): Promise<EventStream>;
  all?(input?: Input, options?: CallOptions): AsyncIterable<unknown>;
}

export interface CallParts {
  send: Send;
  endpoint: string;
  apiVersion: string;
  /** The most bytes of JSON in one answer. */
  answerBytes: number;
  idleMs: number;
  policy: RetryPolicy;
  clock: Clock;
  random: () => number;
}

export interface JsonAnswer {
  status: number;
  /** Undefined where there is none. */
  body: unknown;
}

export function createCalls(parts: CallParts) {
  const { send, endpoint, apiVersion, answerBytes } = parts;

  const outgoing = (route: Route, input: Input, accept: string): Outgoing => ({
    method: route.method,
    url: addressOf({ endpoint, apiVersion, ...route, params: input.params, query: input.query }),
    accept,
    body: bodyFor(route, input.body),
    features: route.preview === undefined ? [] : [route.preview],
    withCredential: true,
  });

  const readJson = (request: Outgoing, options: CallOptions): Promise<JsonAnswer> =>
    send(request, options, async (response) => {
      const text = await readText(response, answerBytes);
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    });

  const json = async (route: Route, input: Input, options: CallOptions): Promise<JsonAnswer> =>
    readJson(outgoing(route, input, 'application/json'), options);

  const raw = async (route: Route, input: Input, options: CallOptions): Promise<Response> =>
    send(outgoing(route, input, '*/*'), options, async (response) => response);

  async function* all(route: Route, input: Input, options: CallOptions): AsyncGenerator<unknown, void> {
    const first = outgoing(route, input, 'application/json');
    const { origin } = new URL(first.url);
    // The service's own links lead to the service; what leads elsewhere is followed without the key.
    const read = async ({ url, isOurs }: Next): Promise<Page> => {
      const withCredential = isOurs || new URL(url).origin === origin;
      const { headers, ...others } = options;
      const plain = headers === undefined || !withCredential ? others : options;
      return (await readJson({ ...first, url, withCredential }, plain)).body as Page;
    };
    for await (const page of eachPage(first.url, read)) yield* elementsOf(page);
  }

  async function stream(route: Route, input: Input, options: CallOptions): Promise<EventStream> {
    const isResponse = route === routes.responses.create || route === routes.responses.retrieve;
    const id = (input.params as { response_id?: unknown } | undefined)?.response_id;
    return openStream({
      ...parts,
      outgoing: outgoing(route, askingForStream(route, input), eventStream),
      options,
      policy: { ...parts.policy, ...options.retry },
      responseId: isResponse && typeof id === 'string' ? id : null,
      resume: isResponse ? (responseId, after) => resumption(responseId, after) : null,
    });
  }

  const resumption = (responseId: string, after: number | null): Outgoing => {
    const query = { stream: true, ...(after === null ? {} : { starting_after: after }) };
    return outgoing(routes.responses.retrieve, { params: { response_id: responseId }, query }, eventStream);
  };

  function call(route: Route): LooseCall {
    const plain = async (input: Input = {}, options: CallOptions = {}): Promise<unknown> =>
      route.answersBytes ? raw(route, input, options) : (await json(route, input, options)).body;
    return Object.assign(plain, {
      raw: (input: Input = {}, options: CallOptions = {}) => raw(route, input, options),
      ...(route.streamsBy
        ? { stream: (input: Input = {}, options: CallOptions = {}) => stream(route, input, options) }
        : {}),
      ...(route.isPage
        ? { all: (input: Input = {}, options: CallOptions = {}) => all(route, input, options) }
        : {}),
    });
  }

  return { call, json };
}

const eventStream = 'text/event-stream';

const askingForStream = ({ method, streamsBy }: Route, input: Input): Input =>
  method === 'GET'
    ? { ...input, query: { ...input.query, ...streamsBy } }
    : { ...input, body: { ...(input.body as object), ...streamsBy } };
