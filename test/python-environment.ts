/** Python with the official clients, from PyPI: made once under `.cache/python/`, then shared by all tests. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DataDirectoryInUseError, type DataLock, lockDataDirectory } from '../src/storage/data-lock.ts';

export interface PythonEnvironment {
  python: string;
  /** The source distribution of azure-ai-projects, as PyPI serves it. */
  archive: string;
  /** Its samples folder, unpacked. */
  samples: string;
  /** Where Python keeps its compiled files, so that the samples folder stays as it was unpacked. */
  bytecode: string;
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

const checkout = new URL('..', import.meta.url).pathname;
const main = join(checkout, 'src', 'main.ts');
const requirementsFile = join(checkout, 'test', 'samples', 'requirements.txt');
const run = promisify(execFile);
const pollMilliseconds = 250;
const largestOutput = 64 * 1024 * 1024;

/** Long enough for a first preparation over a slow line, or for another test file to finish one. */
export const preparationMilliseconds = 600_000;

export async function pythonEnvironment(): Promise<PythonEnvironment> {
  const requirements = readFileSync(requirementsFile, 'utf8');
  const version = /^azure-ai-projects==(\S+)$/m.exec(requirements)?.[1];
  if (version === undefined) throw new Error(`${requirementsFile} pins no version of azure-ai-projects.`);
  const system = process.env.PYTHON ?? 'python3';
  const { stdout } = await run(system, ['-c', 'import sys; print(sys.version, sys.executable)']);
  const key = createHash('sha256').update(`${requirements}\n${stdout}`).digest('hex').slice(0, 12);
  const home = join(checkout, '.cache', 'python', `azure-ai-projects-${version}-${key}`);
  const name = `azure_ai_projects-${version}`;
  const environment = {
    python: join(home, 'venv', 'bin', 'python'),
    archive: join(home, 'sdist', `${name}.tar.gz`),
    samples: join(home, 'sdist', name, 'samples'),
    bytecode: join(home, 'bytecode'),
  };
  const ready = join(home, 'ready');
  if (existsSync(ready)) return environment;
  const lock = await waitForLock(join(home, 'preparing'));
  try {
    if (!existsSync(ready)) {
      await prepare(home, system, version, environment);
      writeFileSync(ready, '');
    }
  } finally {
    lock.release();
  }
  return environment;
}

async function prepare(
  home: string,
  system: string,
  version: string,
  { python, archive }: PythonEnvironment,
) {
  const venv = join(home, 'venv');
  const sdist = join(home, 'sdist');
  for (const left of [venv, sdist]) rmSync(left, { recursive: true, force: true });
  mkdirSync(sdist, { recursive: true });
  const pip = (...args: string[]) =>
    run(python, ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], {
      maxBuffer: largestOutput,
    });
  await run(system, ['-m', 'venv', venv]);
  await pip('install', '--requirement', requirementsFile);
  await pip(
    ...['download', '--no-binary', ':all:', '--no-deps', '--dest', sdist],
    `azure-ai-projects==${version}`,
  );
  await run(python, ['-m', 'tarfile', '-e', archive, sdist]);
}

/** The operating system frees the lock of a preparation that was killed. */
async function waitForLock(directory: string): Promise<DataLock> {
  for (;;) {
    try {
      return lockDataDirectory(directory);
    } catch (error) {
      if (!(error instanceof DataDirectoryInUseError)) throw error;
      await pause(pollMilliseconds);
    }
  }
}

/**
 * Runs Python through `bloomery exec`, against a server of its own whose only sure deployment is `builtin`. Of the
 * tests' environment the program sees what it needs to run, and `variables`.
 */
export async function execPython(
  { python, bytecode }: PythonEnvironment,
  args: string[],
  options: { cwd: string; execOptions?: string[]; variables?: Record<string, string>; signal: AbortSignal },
): Promise<Finished> {
  const { cwd, execOptions = [], variables = {}, signal } = options;
  const { PATH, HOME, TMPDIR, NODE_OPTIONS, BLOOMERY_RECORD_CALLS } = process.env;
  const inherited = Object.entries({ PATH, HOME, TMPDIR, NODE_OPTIONS, BLOOMERY_RECORD_CALLS }).filter(
    ([, value]) => value !== undefined,
  );
  const env = {
    ...Object.fromEntries(inherited),
    LANG: 'C.UTF-8',
    PYTHONPYCACHEPREFIX: bytecode,
    ...variables,
  };
  const command = [main, 'exec', '--deployment', 'builtin', ...execOptions, '--', python, ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, command, {
      cwd,
      env,
      signal,
      maxBuffer: largestOutput,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Partial<Finished>;
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}
