/**
 * `node scripts/newest-sdks.ts` runs the suites of the official clients with the newest releases of these, in a folder of its
 * own, and reports. It leaves this checkout as it is, needs the network, and is meant to be run from time to time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const packages = ['@azure/ai-projects', 'openai'];
const pythonPackages = ['azure-ai-projects', 'openai'];
const suites = [
  'test/e2e/clients.test.ts',
  'test/e2e/python',
  'test/e2e/fault-kinds',
  // Runs those of `fault-kinds` for Python.
  'test/examples/pytest.test.ts',
  'test/samples',
];

const folder = mkdtempSync(join(tmpdir(), 'bloomery-newest-'));
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const file of files.filter(Boolean)) cpSync(join(root, file), join(folder, file));
  run('npm', 'ci', '--no-audit', '--no-fund');
  run('npm', 'install', '--no-audit', '--no-fund', ...packages.map((name) => `${name}@latest`));
  const newest = new Map(pythonPackages.map((name) => [name, newestOnPyPI(name)]));
  pinNewest(newest);

  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...suites], {
    cwd: folder,
    stdio: 'inherit',
  });
  const installed = packages.map((name) => {
    const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
    return `${name} ${version}`;
  });
  const python = [...newest].map(([name, version]) => `${name} ${version} (Python)`);
  const verdict = status === 0 ? 'all suites pass' : 'suites fail, see above';
  process.stdout.write(`${[...installed, ...python].join(', ')}: ${verdict}.\n`);
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** `azure-ai-projects (2.10.0)` is how pip begins. */
function newestOnPyPI(name: string): string {
  const said = run(process.env.PYTHON ?? 'python3', '-m', 'pip', 'index', 'versions', name);
  const version = /\(([^)]+)\)/.exec(said)?.[1];
  if (version === undefined) throw new Error(`pip names no version of ${name}.`);
  return version;
}

function pinNewest(versions: Map<string, string>): void {
  const file = join(folder, 'test/samples/requirements.txt');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      const version = versions.get(/^([\w-]+)==/.exec(line)?.[1] ?? '');
      return version === undefined ? line : line.replace(/==\S+/, `==${version}`);
    });
  writeFileSync(file, lines.join('\n'));
}
