import { auditDirectory, verifyAuditFiles } from '../trust/audit-files.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

export async function audit({ values, words: [action, ...rest] }: Arguments<'audit'>): Promise<number> {
  if (action !== 'verify' || rest.length > 0) throw new UsageError('Say what to do: verify.', 'audit');
  const verdict = await verifyAuditFiles(auditDirectory(values.data));
  if (verdict.files === 0) {
    throw new CommandError(exitCodes.failure, `There is no audit log in ${auditDirectory(values.data)}.`);
  }
  const { files, lines, faults } = verdict;
  const text = [...faults, `${lines} lines in ${files} files, ${faults.length} faults.`].join('\n');
  process.stdout.write(`${values.json ? JSON.stringify(verdict) : text}\n`);
  return faults.length === 0 ? exitCodes.ok : exitCodes.failure;
}
