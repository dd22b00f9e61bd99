import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, recordsIn } from '../../../kit/record.ts';
import type { CallService } from '../service-call.ts';
import { toolFailure } from '../tool-failure.ts';

const apiVersion = '2024-05-01-preview';
const pollMilliseconds = 1000;
const deleteMilliseconds = 5000;
const underWay = new Set<unknown>(['queued', 'in_progress', 'cancelling']);

/**
 * Asks a data agent, which speaks OpenAI's Assistants protocol: a thread of its own for each question, a run that is
 * waited for as long as the signal allows, the thread deleted behind it.
 */
export async function askDataAgent(
  call: CallService,
  address: string,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  const at = (path: string, query = '') => `${address}${path}?api-version=${apiVersion}${query}`;
  const make = async (path: string, body: object) => {
    const made = await call(at(path), { method: 'POST', body, signal });
    if (typeof made.id === 'string') return { ...made, id: made.id };
    throw toolFailure('The Fabric data agent answered without an id.');
  };
  // The protocol wants a model; which one is used is the data agent's own affair.
  const assistant = await make('/assistants', { model: 'not used' });
  const thread = await make('/threads', {});
  const inThread = `/threads/${encodeURIComponent(thread.id)}`;
  try {
    await make(`${inThread}/messages`, { role: 'user', content: question });
    const begun = await make(`${inThread}/runs`, { assistant_id: assistant.id });
    let run: Record<string, unknown> = begun;
    while (underWay.has(run.status)) {
      await sleep(pollMilliseconds, undefined, { signal });
      run = await call(at(`${inThread}/runs/${encodeURIComponent(begun.id)}`), { signal });
    }
    if (run.status !== 'completed') throw toolFailure(endOf(run));
    const { data } = await call(at(`${inThread}/messages`, '&order=asc&limit=100'), { signal });
    const answer = recordsIn(data)
      .filter(({ role }) => role === 'assistant')
      .map(textOf)
      .filter(Boolean)
      .join('\n');
    if (answer === '') throw toolFailure('The Fabric data agent has ended without an answer.');
    return answer;
  } finally {
    // Nobody waits for it; whether it can be deleted changes nothing for the question.
    call(at(inThread), { method: 'DELETE', signal: AbortSignal.timeout(deleteMilliseconds) }).catch(() => {});
  }
}

function endOf({ status, last_error, incomplete_details }: Record<string, unknown>): string {
  const why = isRecord(last_error)
    ? last_error.message
    : isRecord(incomplete_details)
      ? incomplete_details.reason
      : '';
  const words = typeof why === 'string' ? why.slice(0, 1000).toWellFormed() : '';
  return `The run of the Fabric data agent has ended as '${typeof status === 'string' ? status.slice(0, 64) : 'unknown'}'. ${words}`.trim();
}

const textOf = ({ content }: Record<string, unknown>): string =>
  typeof content === 'string'
    ? content
    : recordsIn(content)
        .map(({ text }) => (isRecord(text) ? text.value : text))
        .filter((text) => typeof text === 'string')
        .join('\n');
