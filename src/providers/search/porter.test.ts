import { expect, test } from 'vitest';
import { porterStem } from './porter.ts';

test('words of the published description of the algorithm get the stems that it gives', () => {
  const words = {
    caresses: 'caress',
    ponies: 'poni',
    cats: 'cat',
    feed: 'feed',
    agreed: 'agre',
    plastered: 'plaster',
    bled: 'bled',
    motoring: 'motor',
    sing: 'sing',
    conflated: 'conflat',
    hopping: 'hop',
    falling: 'fall',
    hissing: 'hiss',
    filing: 'file',
    happy: 'happi',
    sky: 'sky',
    relational: 'relat',
    conditional: 'condit',
    digitizer: 'digit',
    vietnamization: 'vietnam',
    operator: 'oper',
    sensibiliti: 'sensibl',
    triplicate: 'triplic',
    electrical: 'electr',
    hopefulness: 'hope',
    goodness: 'good',
    replacement: 'replac',
    adjustment: 'adjust',
    adoption: 'adopt',
    effective: 'effect',
    probate: 'probat',
    rate: 'rate',
    cease: 'ceas',
    controll: 'control',
    roll: 'roll',
  };
  const stems = Object.fromEntries(Object.keys(words).map((word) => [word, porterStem(word)]));
  expect(stems).toEqual(words);
});

test('what is not an English word stays as it is', () => {
  for (const word of ['is', '2024s', 'größes', 'x2ing']) expect(porterStem(word)).toBe(word);
});
