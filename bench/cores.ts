import { spawnSync } from 'node:child_process';
import { allowedCores } from '../src/providers/workers/cores.ts';

let allowed: number[] | undefined;

/**
 * Gives the load generator a core of its own and the servers the others, `most` of them. Left to itself, the scheduler
 * at times puts both on one core while another is idle; then the generator's cost, the same for every server, hides
 * their difference. False where the system can't do it (no `taskset`) or has one core only.
 */
export function separateCores(servers: number[], most?: number): boolean {
  // Asked once: of a generator that has its core, the system says no more than that one.
  allowed ??= allowedCores();
  const cores = allowed.slice(0, -1).slice(0, most);
  const own = allowed.at(-1);
  if (own === undefined || cores.length === 0) return false;
  return [...servers.map((pid) => pin(pid, cores)), pin(process.pid, [own])].every((done) => done);
}

/** Takes that back: for a case that keeps generator and server busy with the same bytes. */
export function shareCores(servers: number[]): boolean {
  allowed ??= allowedCores();
  const cores = allowed;
  return cores.length > 0 && [...servers, process.pid].every((pid) => pin(pid, cores));
}

function pin(pid: number, cores: number[]): boolean {
  const options = ['--all-tasks', '--pid', '--cpu-list', cores.join(','), String(pid)];
  return spawnSync('taskset', options, { stdio: 'ignore' }).status === 0;
}
