/** A program that puts files into the index of a directory until it is killed, and prints each that was put. */
import { openSearchIndex } from '../open-search-index.ts';

const [, , directory = ''] = process.argv;
const index = openSearchIndex({ directory });
for (let number = 0; ; number++) {
  const version = Math.floor(number / 5);
  const chunks = Array.from({ length: 40 }, (_, at) => ({
    text: `version${version} chunk${at} ${'and so on '.repeat(at)}`,
    vector: Float32Array.from({ length: 32 }, (_, place) => Math.sin(number * place + at)),
  }));
  const file = { id: `file-${number % 5}`, filename: 'f.txt', attributes: { version } };
  await index.put({ project: 'p', id: 'vs' }, file, chunks);
  process.stdout.write(`${number}\n`);
}
