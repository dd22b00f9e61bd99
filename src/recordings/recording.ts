import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import { Exchange, formatVersion, Heading, mostExchanges, mostFileBytes } from './format.ts';

/** A recording, its exchanges in the order of their requests. */
export interface Recording {
  heading: Heading;
  exchanges: Exchange[];
  /** Whether the last line was torn: its recorder was killed while it wrote. */
  isTorn: boolean;
}

/** A file that is no recording, or none that can be read here; the message says what to do. */
export class RecordingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RecordingError';
  }
}

export async function readRecording(file: string): Promise<Recording> {
  const check = checker(Exchange);
  const exchanges: Exchange[] = [];
  let heading: Heading | null = null;
  let number = 0;
  let torn = 0;
  // Each line is let go of when it is read, since all of them may be a gigabyte.
  await readLines(file, (line) => {
    number++;
    if (heading === null) heading = headingOf(file, line);
    else if (torn > 0) throw noExchange(file, torn, 'it is not JSON');
    else {
      const exchange = parsed(line);
      const fault = exchange === undefined ? null : check(exchange);
      if (fault !== null) throw noExchange(file, number, fault);
      if (exchange === undefined) torn = number;
      else exchanges.push(exchange as Exchange);
    }
  });
  if (exchanges.length > mostExchanges) {
    throw new RecordingError(
      `${file} has ${exchanges.length} exchanges; at most ${mostExchanges} can be read. Split it: the first line belongs into each part.`,
    );
  }
  return {
    heading: heading ?? headingOf(file, undefined),
    exchanges: exchanges.sort((a, b) => a.number - b.number),
    isTorn: torn > 0,
  };
}

const noExchange = (file: string, line: number, fault: string): RecordingError =>
  new RecordingError(
    `Line ${line} of ${file} is no exchange of this format: ${fault}. Restore the file, or take that line out: the other exchanges can then be used.`,
  );

async function readLines(file: string, read: (line: string) => void): Promise<void> {
  try {
    const { size } = statSync(file);
    if (size > mostFileBytes) {
      throw new RecordingError(`${file} has ${size} bytes; at most ${mostFileBytes} can be read.`);
    }
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      if (line !== '') read(line);
    }
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new RecordingError(
      code === 'ENOENT'
        ? `There is no recording ${file}. Make one with \`bloomery record\`.`
        : `${file} cannot be read: ${message}`,
    );
  }
}

function headingOf(file: string, line: string | undefined): Heading {
  const heading = parsed(line ?? '') as Partial<Heading> | undefined;
  const version = heading?.bloomery_recording;
  if (typeof version !== 'number') {
    throw new RecordingError(
      `${file} is no recording: its first line does not say {"bloomery_recording":${formatVersion},…}.`,
    );
  }
  if (version > formatVersion) {
    throw new RecordingError(
      `${file} is a recording of format ${version}, made by a newer Bloomery; this one reads formats up to ${formatVersion}. Update Bloomery, or record again with this one.`,
    );
  }
  const fault = checker(Heading)(heading);
  if (fault !== null)
    throw new RecordingError(`The first line of ${file} is not that of a recording: ${fault}.`);
  return heading as Heading;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function checker(schema: TSchema): (value: unknown) => string | null {
  const check = new Ajv({ strict: false }).compile(schema);
  return (value) => {
    if (check(value)) return null;
    const { instancePath = '', message = '' } = check.errors?.[0] ?? {};
    return `${instancePath.slice(1).replaceAll('/', '.')} ${message}`.trim();
  };
}
