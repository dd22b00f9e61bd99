/** `node scripts/build-package.ts` writes `dist/`, which a package has in the place of `src/`. `npm pack` begins with it. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isTest } from './check-imports.ts';

const root = join(import.meta.dirname, '..');

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.package.json'], {
  cwd: root,
  stdio: 'inherit',
});
// What is read as it is stays as it is.
for (const file of globSync('src/**/*.*', { cwd: root }))
  if (!file.endsWith('.ts') && !isTest(file))
    cpSync(join(root, file), join(root, 'dist', relative('src', file)));
