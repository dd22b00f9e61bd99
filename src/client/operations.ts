/** The shape of the client's calls. Everything in it follows from the server's own schemas. */
import type { Static, TSchema } from 'typebox';
import type { ResponseObject } from '../families/responses/contract.ts';
import type { LifecycleType, ResponseEvent } from '../families/responses/events.ts';
import type { multipart, Operation } from '../kit/operation.ts';
import type { CallOptions } from './request.ts';
import type { Contracts } from './routes.ts';
import type { AnyEvent, EventStream } from './streams.ts';

type StaticOf<T> = T extends TSchema ? Static<T> : undefined;

/** Texts of a form may be files; which are, the service says. */
type FormValue<T> = string extends T ? T | Blob | readonly Blob[] : T;
type FormOf<T> = { [Key in keyof T]: FormValue<T[Key]> };

type BodyOf<O extends Operation> = O['consumes'] extends typeof multipart
  ? FormOf<StaticOf<O['body']>>
  : StaticOf<O['body']>;

type Given<Name extends string, T, Optional> = [T] extends [undefined]
  ? { [Key in Name]?: undefined }
  : Optional extends true
    ? { [Key in Name]?: T }
    : object extends T
      ? { [Key in Name]?: T }
      : { [Key in Name]: T };

/** What a call is given: `params` of the path, `query`, `body`. */
export type InputOf<O extends Operation> = Given<'params', StaticOf<O['params']>, false> &
  Given<'query', StaticOf<O['query']>, false> &
  Given<'body', BodyOf<O>, O['bodyOptional']>;

/** What it answers: JSON as the schema says; the answer itself where that is bytes. */
export type ResultOf<O extends Operation> = O['result'] extends TSchema
  ? Static<O['result']>
  : O['answersBytes'] extends true
    ? Response
    : undefined;

type ElementOf<Result> = Result extends { data: (infer T)[] }
  ? T
  : Result extends { value: (infer T)[] }
    ? T
    : Result extends { entries: (infer T)[] }
      ? T
      : never;

type Args<O extends Operation> =
  object extends InputOf<O>
    ? [input?: InputOf<O>, options?: CallOptions]
    : [input: InputOf<O>, options?: CallOptions];

/** Events as clients see them: those of a response's life carry all of it. */
export type ResponseStreamEvent = { sequence_number: number } & (
  | { type: LifecycleType; response: ResponseObject }
  | Exclude<ResponseEvent, { type: LifecycleType }>
);

type EventOf<O extends Operation> =
  StaticOf<O['result']> extends { object: 'response' } ? ResponseStreamEvent : AnyEvent;

export type Call<O extends Operation> = ((...args: Args<O>) => Promise<ResultOf<O>>) & {
  /** The answer itself, to read as it comes. */
  raw(...args: Args<O>): Promise<Response>;
} & (O['streams'] extends true
    ? { /** The answer as events. */ stream(...args: Args<O>): Promise<EventStream<EventOf<O>>> }
    : unknown) &
  (O['method'] extends 'GET'
    ? [ElementOf<StaticOf<O['result']>>] extends [never]
      ? unknown
      : { /** What is listed on all pages. */ all(...args: Args<O>): AsyncIterable<ElementOf<ResultOf<O>>> }
    : unknown);

type MemberName<Key> = Key extends `$${infer Name}` ? Name : Key;

type Calls<T> = {
  [Key in keyof T as MemberName<Key>]: T[Key] extends Operation ? Call<T[Key]> : never;
};

/** `client.agents.list`, `client.vectorStores.search`: families and operations as the contracts name them. */
export type Families = { [Name in keyof Contracts]: Calls<Contracts[Name]> };
