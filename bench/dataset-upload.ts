/**
 * `node bench/dataset-upload.ts [MEGABYTES]`: a file of so many MB (1,000 unless given) becomes a dataset by
 * `datasets.uploadFile` of `@azure/ai-projects`, and is read back. In seconds, beside the floor: `cp` of the file. And
 * how much more memory the server holds meanwhile than after a small file, in MB.
 */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AIProjectClient } from '@azure/ai-projects';
import { ContainerClient } from '@azure/storage-blob';
import { startServer } from '../src/testing/index.ts';
import { childrenOf, residentMegabytes } from './process-figures.ts';

const megabytes = Number(process.argv[2] ?? 1000);
const watchMilliseconds = 50;
const directory = mkdtempSync(join(tmpdir(), 'bloomery-bench-'));
const [large, small] = ['large.bin', 'small.bin'].map((name) => join(directory, name)) as [string, string];

function fill(file: string): void {
  const block = randomFillSync(Buffer.alloc(1_000_000));
  const to = openSync(file, 'w');
  for (let written = 0; written < megabytes; written++) writeSync(to, block);
  closeSync(to);
}

async function seconds(step: () => unknown): Promise<number> {
  const began = performance.now();
  await step();
  return Number(((performance.now() - began) / 1000).toFixed(1));
}

try {
  fill(large);
  writeFileSync(small, 'small');
  await using server = await startServer();
  await using project = await server.project();
  const [pid = 0] = childrenOf(process.pid);
  const client = new AIProjectClient(project.endpoint, project.credential);
  await client.datasets.uploadFile('small', '1', small);
  const before = residentMegabytes(pid);
  let most = before ?? 0;
  const watch = setInterval(() => {
    most = Math.max(most, residentMegabytes(pid) ?? 0);
  }, watchMilliseconds);

  const floor = await seconds(() => execFileSync('cp', [large, join(directory, 'copy.bin')]));
  const upload = await seconds(() => client.datasets.uploadFile('large', '1', large));
  const download = await seconds(async () => {
    const { blobReference } = await client.datasets.getCredentials('large', '1');
    const container = new ContainerClient(blobReference.credential.sasUri);
    await container.getBlobClient('large.bin').downloadToFile(join(directory, 'again.bin'));
  });
  clearInterval(watch);
  execFileSync('cmp', [large, join(directory, 'again.bin')]);
  const growth = before === null ? null : Math.round(most - before);
  process.stdout.write(`${JSON.stringify({ megabytes, floor, upload, download, growth_mb: growth })}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
