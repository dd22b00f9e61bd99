import type { Counter } from '../../traffic/metrics.ts';
import { type ModelCaller, patientCaller } from './caller.ts';
import type { Admission, DeploymentGate } from './deployment-gate.ts';
import { estimatePrompt, estimateTokens } from './estimate-tokens.ts';
import type { ForwardAnswer, ModelEvent, ModelProvider, ModelRequest } from './model.ts';

type Outcome = 'completed' | 'failed' | 'aborted';

/** What is counted of a deployment. */
export interface DeploymentFigures {
  running: { count: number };
  ended: Record<Outcome, Counter>;
  input: Counter;
  output: Counter;
}

/** Work of the server itself. */
const nobody = patientCaller('');

/** A provider that is called only as its gate allows, and counted. It can do what the provider can, and nothing else. */
export function governed(
  provider: ModelProvider,
  gate: DeploymentGate,
  figures: DeploymentFigures,
): ModelProvider {
  const { generate, embed, forward } = provider;
  const entering = (caller: ModelCaller | undefined, tokens: () => number, signal: AbortSignal) =>
    gate.isOpen ? null : gate.enter(caller ?? nobody, gate.countsTokens ? tokens() : 0, signal);
  const usualOutput = new Mean();
  const outputOf = ({ maxOutputTokens }: ModelRequest) => maxOutputTokens ?? Math.ceil(usualOutput.value);
  return {
    ...provider,
    ...(generate && {
      generate(request, signal, caller) {
        const expected = () => estimatePrompt(request) + outputOf(request);
        return new GovernedCall(
          () => generate(request, signal, caller),
          () => entering(caller, expected, signal),
          { figures, usualOutput, signal },
        );
      },
    }),
    ...(embed && {
      async embed(request, signal, caller) {
        const characters = () => request.inputs.reduce((sum, { length }) => sum + length, 0);
        const admission = await entering(caller, () => estimateTokens(characters()), signal);
        const ended = begin(figures, admission);
        try {
          const result = await embed(request, signal, caller);
          figures.input.add(result.inputTokens);
          admission?.used(result.inputTokens);
          ended('completed');
          return result;
        } catch (error) {
          ended(signal.aborted ? 'aborted' : 'failed');
          throw error;
        }
      },
    }),
    ...(forward && {
      async forward(request, signal, caller) {
        const ended = begin(figures, await entering(caller, () => 0, signal));
        try {
          const answer = await forward(request, signal, caller);
          if (answer.kind === 'json') ended('completed');
          return untilRead(answer, ended, signal);
        } catch (error) {
          ended(signal.aborted ? 'aborted' : 'failed');
          throw error;
        }
      },
    }),
  };
}

/** The mean of what came lately. */
class Mean {
  value = 0;

  add(next: number): void {
    this.value = this.value === 0 ? next : this.value + (next - this.value) / 16;
  }
}

/** Counts a call; answers what counts its end, once. */
function begin({ running, ended }: DeploymentFigures, admission: Admission | null) {
  running.count++;
  let isOver = false;
  return (outcome: Outcome): void => {
    if (isOver) return;
    isOver = true;
    running.count--;
    ended[outcome].add();
    admission?.leave();
  };
}

/** The call goes on until its answer has been read, or nobody reads it any more. */
function untilRead(
  answer: ForwardAnswer,
  ended: (outcome: Outcome) => void,
  signal: AbortSignal,
): ForwardAnswer {
  if (answer.kind === 'json') return answer;
  signal.addEventListener('abort', () => ended('aborted'), { once: true });
  if (signal.aborted) ended('aborted');
  return answer.kind === 'events'
    ? { ...answer, frames: watched(answer.frames, ended) }
    : { ...answer, bytes: watched(answer.bytes, ended) };
}

async function* watched<T>(source: AsyncIterable<T>, ended: (outcome: Outcome) => void): AsyncGenerator<T> {
  let outcome: Outcome = 'aborted';
  try {
    yield* source;
    outcome = 'completed';
  } catch (error) {
    outcome = 'failed';
    throw error;
  } finally {
    ended(outcome);
  }
}

interface CallParts {
  figures: DeploymentFigures;
  usualOutput: Mean;
  signal: AbortSignal;
}

/** The events of a call. By hand, as a generator in between would be felt on every event. */
class GovernedCall implements AsyncIterableIterator<ModelEvent, undefined> {
  readonly #start: () => AsyncIterable<ModelEvent>;
  readonly #enter: () => Promise<Admission> | null;
  readonly #parts: CallParts;
  #source: AsyncIterator<ModelEvent> | null = null;
  #admission: Admission | null = null;
  #ended: ((outcome: Outcome) => void) | null = null;
  #isOver = false;

  constructor(
    start: () => AsyncIterable<ModelEvent>,
    enter: () => Promise<Admission> | null,
    parts: CallParts,
  ) {
    this.#start = start;
    this.#enter = enter;
    this.#parts = parts;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ModelEvent, undefined>> {
    if (this.#source !== null) return this.#source.next().then(this.#seen, this.#failed);
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    const entering = this.#enter();
    if (entering === null) return this.#begin(null);
    return entering.then((admission) => this.#begin(admission));
  }

  async return(): Promise<IteratorResult<ModelEvent, undefined>> {
    this.#isOver = true;
    try {
      await this.#source?.return?.();
    } finally {
      this.#ended?.('aborted');
    }
    return { done: true, value: undefined };
  }

  #begin(admission: Admission | null): Promise<IteratorResult<ModelEvent, undefined>> {
    this.#admission = admission;
    this.#ended = begin(this.#parts.figures, admission);
    if (this.#isOver) {
      this.#ended('aborted');
      return Promise.resolve({ done: true, value: undefined });
    }
    try {
      this.#source = this.#start()[Symbol.asyncIterator]();
    } catch (error) {
      this.#fail();
      return Promise.reject(error);
    }
    return this.#source.next().then(this.#seen, this.#failed);
  }

  readonly #seen = (result: IteratorResult<ModelEvent>): IteratorResult<ModelEvent, undefined> => {
    if (result.done) {
      this.#ended?.('completed');
      return { done: true, value: undefined };
    }
    if (result.value.type === 'finish') {
      const { inputTokens, outputTokens } = result.value.usage;
      const { figures, usualOutput } = this.#parts;
      figures.input.add(inputTokens);
      figures.output.add(outputTokens);
      usualOutput.add(outputTokens);
      this.#admission?.used(inputTokens + outputTokens);
      this.#ended?.('completed');
    }
    return result;
  };

  readonly #failed = (error: unknown): never => {
    this.#fail();
    throw error;
  };

  #fail(): void {
    this.#isOver = true;
    this.#ended?.(this.#parts.signal.aborted ? 'aborted' : 'failed');
  }
}
