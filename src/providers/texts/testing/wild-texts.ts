import fc from 'fast-check';

const fragments = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-zA-Z]{1,9}$/) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ' ',
      ' ',
      '. ',
      ', ',
      '\n',
      '\n\n',
      '\n  \n',
      '   ',
      '\t',
      '! ',
      "'s ",
      "'ll",
      '\r',
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        '12345',
        '<|endoftext|>',
        'naïve',
        'a\u0301',
        '中文分词很难。',
        'नमस्ते',
        '👩‍👩‍👧‍👦',
        '𝟙𝟚𝟛',
        'don’t',
        '/*--*/',
        '\u00a0',
        '\u2028',
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('a', 'A', '=', ' ', '\n', ' \n', '字', 'é', '/', '😀', '7', 'aB'),
        fc.integer({ min: 1, max: 700 }),
      )
      .map(([unit, times]) => unit.repeat(times)),
  },
);

/** Words, signs, white space and long runs of all kinds. */
export const wildTexts = fc
  .array(fragments, { maxLength: 120 })
  .map((parts) => parts.join('').toWellFormed());

/** With a run in the middle that may be longer than all that is looked at in one go. */
export const longWildTexts = fc
  .tuple(
    wildTexts,
    fc.constantFrom('x', 'X', ' ', '\n', ' \n', '字', '.', '/', '9', "x's ", 'ab cd ', 'it\n'),
    fc.integer({ min: 0, max: 9000 }),
    wildTexts,
  )
  .map(([before, unit, times, after]) => (before + unit.repeat(times) + after).toWellFormed());
