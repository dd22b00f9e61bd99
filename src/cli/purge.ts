import { resolve } from 'node:path';
import { type Check, type PurgeReport, purgeDirectory } from '../purge.ts';
import type { Arguments } from './arguments.ts';
import { configurationFile, loadConfiguration } from './configuration.ts';
import { exitCodes } from './exit-codes.ts';
import { invocation } from './invocation.ts';

type Given = Arguments<'purge'>['values'];

export async function purge({ values }: Arguments<'purge'>): Promise<number> {
  const report = await purgeDirectory({
    directory: resolve(values.data),
    config: loadConfiguration(configurationFile(values.config), null, false),
    verify: values.verify,
    contains: values.contains,
    warn: (message) => process.stderr.write(`${message}\n`),
  });
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report, values));
  return report.ok ? exitCodes.ok : exitCodes.failure;
}

function textOf({ checks, found }: PurgeReport, given: Given): string {
  const width = Math.max(...checks.map(({ what }) => what.length)) + 2;
  const lines = checks.map((check) =>
    `${(check.left === 0 ? 'ok' : 'left').padEnd(6)}${check.what.padEnd(width)}${countOf(check)}`.trimEnd(),
  );
  const places = found.map(
    ({ in: place, files }) => `found ${place}: ${files} file${files === 1 ? '' : 's'} with the text`,
  );
  return `${[...lines, ...places].join('\n')}\n\n${conclusion(checks, found, given)}\n`;
}

const countOf = ({ left, removed }: Check): string =>
  [left > 0 ? `${left} left` : '', removed > 0 ? `${removed} removed` : ''].filter(Boolean).join(', ');

function conclusion(checks: Check[], found: PurgeReport['found'], { verify, data }: Given): string {
  if (checks.some(({ left }) => left > 0)) {
    return verify
      ? `Something is left. \`${invocation()} purge --data ${data}\` removes it.`
      : 'Something could not be removed; repeat the command when what is said above is put right.';
  }
  return found.length > 0
    ? 'Nothing is left of what was deleted. The text is in something that is not deleted.'
    : 'Nothing is left of what was deleted.';
}
