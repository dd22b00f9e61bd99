import { expect, test } from 'vitest';
import { parseQueryString } from './query-string.ts';

test.each([
  ['', {}],
  ['api-version=v1', { 'api-version': 'v1' }],
  ['a=1&b=%20x+y', { a: '1', b: ' x y' }],
  ['include[]=a&include[]=b', { include: ['a', 'b'] }],
  ['include%5B%5D=a', { include: ['a'] }],
  ['include[0]=a&include[1]=b', { include: ['a', 'b'] }],
  ['include=a&include=b', { include: ['a', 'b'] }],
  ['metadata[k]=v&metadata[l]=w', { metadata: { k: 'v', l: 'w' } }],
  ['__proto__[x]=1', { '__proto__[x]': '1' }],
])('%s', (text, query) => {
  expect({ ...parseQueryString(text) }).toEqual(query);
});
