import { resolve } from 'node:path';
import { rotateSecrets, rotateTokens } from '../server-secrets.ts';
import { sealingKeyVariable } from '../trust/sealing-keys.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';

export async function secrets({ values, words }: Arguments<'secrets'>): Promise<number> {
  const [action] = words;
  if (action !== 'rotate') {
    throw new UsageError(
      `Say what to do: rotate${action === undefined ? '' : `, not '${action}'`}.`,
      'secrets',
    );
  }
  if (values.tokens) return rotateTokenKeys(values);
  const { connections, unreadable, forgotten } = await rotateSecrets(resolve(values.data), values.forget);
  if (values.json) process.stdout.write(`${JSON.stringify({ connections, unreadable, forgotten })}\n`);
  else {
    const count = connections === 1 ? '1 connection is' : `${connections} connections are`;
    const old = forgotten
      ? "The older keys are forgotten: sealed content that clients still hold can't be read any more."
      : process.env[sealingKeyVariable]
        ? `Take the older keys out of ${sealingKeyVariable} when clients need them no more.`
        : 'The older keys are kept for what clients hold; --forget removes them.';
    process.stdout.write(`The secrets of ${count} sealed with the new key. ${old}\n`);
    for (const name of unreadable) {
      process.stderr.write(
        `The secrets of ${name} can't be read: set that connection, or the tools of that agent, again.\n`,
      );
    }
  }
  return exitCodes.ok;
}

async function rotateTokenKeys({ data, forget, json }: Arguments<'secrets'>['values']): Promise<number> {
  await rotateTokens(resolve(data), forget);
  const old = forget
    ? 'Tokens that the older key signed are refused from now on.'
    : 'Tokens that the older key signed are good until they expire, for a day at most; --forget refuses them at once.';
  const said = `Tokens are signed with a new key. ${old} The secret of the identity endpoint is another one: \`bloomery env\` tells it when the server is back.`;
  process.stdout.write(`${json ? JSON.stringify({ tokens: true, forgotten: forget }) : said}\n`);
  return exitCodes.ok;
}
