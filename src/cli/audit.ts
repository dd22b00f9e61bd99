import { auditDirectory } from '../trust/audit-files.ts';
import { auditKeys } from '../trust/audit-keys.ts';
import { verifyAudit } from '../trust/audit-verify.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

export async function audit({ values, words: [action, ...rest] }: Arguments<'audit'>): Promise<number> {
  const isAsked = action === 'verify' || (action === undefined && values.verify);
  if (!isAsked || rest.length > 0) throw new UsageError('Say what to do: verify.', 'audit');
  const verdict = await verifyAudit(values.data, auditKeys(values.data));
  if (verdict.files === 0 && verdict.faults.length === 0) {
    throw new CommandError(exitCodes.failure, `There is no audit log in ${auditDirectory(values.data)}.`);
  }
  const { files, lines, withoutKey, faults } = verdict;
  const older =
    withoutKey === 0
      ? []
      : [
          `${withoutKey} lines at the beginning are of an older version, without a key: whoever may write the files could have made them anew.`,
        ];
  const text = [...faults, ...older, `${lines} lines in ${files} files, ${faults.length} faults.`].join('\n');
  process.stdout.write(`${values.json ? JSON.stringify(verdict) : text}\n`);
  return faults.length === 0 ? exitCodes.ok : exitCodes.failure;
}
