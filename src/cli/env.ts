import { resolve } from 'node:path';
import { credentialsFile } from '../trust/credentials.ts';
import type { Arguments } from './arguments.ts';
import { clientEnvironment } from './client-environment.ts';
import { exitCodes } from './exit-codes.ts';
import { runningServer } from './running-server.ts';
import { formatVariables } from './variable-formats.ts';

export function env({ values }: Arguments<'env'>): number {
  const directory = resolve(values.data);
  const server = runningServer(directory);
  const variables = clientEnvironment(server, values.deployment);
  if (!server.apiKey) process.stderr.write(`${keyIsElsewhere(directory)}\n`);
  process.stdout.write(formatVariables(variables, values.format));
  return exitCodes.ok;
}

const keyIsElsewhere = (directory: string): string =>
  `FOUNDRY_PROJECT_API_KEY and OPENAI_API_KEY are left away: ${credentialsFile(directory)} holds no API key, and of those that there are only hashes are kept. Set both variables to one that you have noted, or make one with \`bloomery key create NAME\`. Token credentials work without it.`;
