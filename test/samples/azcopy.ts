/**
 * Stands in for AzCopy, which the model samples start and which no package registry has:
 * `copy SOURCE CONTAINER_URL --from-to LocalBlob --recursive`, with Azure's own blob client.
 */
import { globSync, statSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { ContainerClient } from '@azure/storage-blob';

const [command, source = '', target = '', ...options] = process.argv.slice(2);
if (command !== 'copy' || options.join(' ') !== '--from-to LocalBlob --recursive') {
  throw new Error(`This stand-in does not know 'azcopy ${command} … ${options.join(' ')}'.`);
}
const isFolder = basename(source) === '*';
const root = dirname(source);
const files = isFolder ? globSync(`${root}/**/*`).filter((file) => statSync(file).isFile()) : [source];
const container = new ContainerClient(target);
for (const file of files) await container.getBlockBlobClient(relative(root, file)).uploadFile(file);
