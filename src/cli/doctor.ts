import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { type RunFile, readRunFile, runFilePath } from '../trust/run-file.ts';
import type { Arguments } from './arguments.ts';
import { configurationFile, loadConfiguration } from './configuration.ts';
import { checkCertificates, checkDataDirectory, checkLock, checkSecrets } from './doctor-data.ts';
import { checkClock, checkNode, checkPort } from './doctor-machine.ts';
import { checkModels } from './doctor-models.ts';
import { exitCodes } from './exit-codes.ts';
import { type Finding, fine, problem } from './finding.ts';

export async function doctor({ values }: Arguments<'doctor'>): Promise<number> {
  const directory = resolve(values.data);
  const configuration = checkConfiguration(configurationFile(values.config));
  const running = findServer(directory);
  const models = await checkModels(configuration.config);
  const findings = [
    checkNode(process.versions.node),
    checkClock(directory, models.remoteTimes),
    configuration.finding,
    checkDataDirectory(directory),
    checkLock(directory, running.server),
    ...running.findings,
    ...checkSecrets(directory),
    checkCertificates(directory),
    await checkPort(directory, running.server, values.host, values.port),
    ...models.findings,
  ];
  const ok = findings.every((finding) => finding.ok);
  process.stdout.write(values.json ? `${JSON.stringify({ ok, findings })}\n` : report(findings));
  return ok ? exitCodes.ok : exitCodes.failure;
}

function checkConfiguration(file: string | null): { config: Config | null; finding: Finding } {
  const subject = 'configuration';
  try {
    const config = loadConfiguration(file, null);
    const found = file === null ? 'none, so the defaults apply' : `${resolve(file)} is valid`;
    return { config, finding: fine(subject, found) };
  } catch (error) {
    return {
      config: null,
      finding: problem(subject, (error as Error).message, 'Correct what is named above.'),
    };
  }
}

function findServer(directory: string): { server: RunFile | null; findings: Finding[] } {
  try {
    return { server: readRunFile(directory), findings: [] };
  } catch (error) {
    const fix = `Delete ${runFilePath(directory)} and start the server again.`;
    return { server: null, findings: [problem('run file', (error as Error).message, fix)] };
  }
}

function report(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ subject }) => subject.length)) + 2;
  const margin = `\n${' '.repeat(width + 9)}`;
  const lines = findings.map(({ ok, subject, message, fix }) => {
    const text = fix === null ? message : `${message}\nFix: ${fix}`;
    return `${ok ? 'ok' : 'problem'}`.padEnd(9) + subject.padEnd(width) + text.replaceAll('\n', margin);
  });
  const problems = findings.filter(({ ok }) => !ok).length;
  const summary = problems === 0 ? 'All is well.' : `${problems} problem${problems === 1 ? '' : 's'} found.`;
  return `${lines.join('\n')}\n\n${summary}\n`;
}
