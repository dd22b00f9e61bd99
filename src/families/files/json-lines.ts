import { invalidPayload } from '../../errors.ts';
import { isRecord } from '../../kit/record.ts';

export const longestLine = 16_777_216;

/** Throws about `target` unless every line is a JSON object. It holds one line at a time. */
export async function checkJsonLines(content: AsyncIterable<Uint8Array>, target: string): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 1;
  let blank: number | null = null;
  let begun: Uint8Array[] = [];
  let length = 0;

  const wrong = (line: number, what: string) =>
    invalidPayload(target, `The file is to be JSON Lines, a JSON object per line; line ${line} ${what}.`);
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > longestLine) throw wrong(number, `has more than ${longestLine} bytes`);
    if (part.length > 0) begun.push(part);
  };
  const end = (): void => {
    const what = faultOf(begun, decoder);
    if (what === 'is empty') blank ??= number;
    else if (blank !== null) throw wrong(blank, 'is empty');
    else if (what !== null) throw wrong(number, what);
    begun = [];
    length = 0;
    number++;
  };

  for await (const chunk of content) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, at));
      end();
      from = at + 1;
    }
    add(chunk.subarray(from));
  }
  end();
  if (blank === 1) throw wrong(1, 'is empty, as all of them are');
}

function faultOf(parts: Uint8Array[], decoder: TextDecoder): string | null {
  let value: unknown;
  try {
    const text = decoder.decode(parts.length === 1 ? parts[0] : Buffer.concat(parts));
    if (text.trim() === '') return 'is empty';
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof SyntaxError ? 'is not well-formed JSON' : 'is not UTF-8';
  }
  return isRecord(value) ? null : 'is JSON, but no object';
}
