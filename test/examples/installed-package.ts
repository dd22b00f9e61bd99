/** Bloomery as it is installed: what `npm pack` makes of this checkout, with the dependencies that lie here already. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const checkout = join(import.meta.dirname, '../..');
const installed = realpathSync(join(checkout, 'node_modules'));

/** A folder of its user, in which it and the packages named are installed. Sources are not found from there. */
export async function folderWithPackage(...others: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bloomery-installed-'));
  try {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout });
    const [tarball] = readdirSync(folder);
    if (tarball === undefined) throw new Error(`npm packed nothing: ${stdout}`);
    const own = join(folder, 'node_modules/bloomery');
    mkdirSync(own, { recursive: true });
    await run('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', own]);
    symlinkSync(installed, join(own, 'node_modules'));
    for (const name of others) {
      const place = join(folder, 'node_modules', name);
      mkdirSync(join(place, '..'), { recursive: true });
      symlinkSync(join(installed, name), place);
    }
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

export const addExample = (name: string, folder: string): void =>
  cpSync(join(checkout, 'examples', name), folder, { recursive: true });
