/** Words that say nothing about the subject of a sentence. */
export const stopWords = new Set(
  (
    'a about after again all also am an and any anything are as at be because been before being below between ' +
    'both but by can could did do does doing don down during each every few for from further had has have having ' +
    'he her here hers him his how i if in into is it its itself just let like ll me more most my myself no nor not ' +
    'now of off on once only or other our ours out over own per please re same she should so some such t than ' +
    'thank thanks that the their theirs them then there these they this those through to too under until up us ve ' +
    'very want was we were what when where which while who whom why will with would you your yours ' +
    'today tomorrow tonight yesterday'
  ).split(' '),
);

/** Verbs that many tool names start with; alone they do not tell one tool from another. */
export const genericVerbs = new Set(
  (
    'get set fetch run call do make use tool function perform execute retrieve return provide give show tell ' +
    'find look need know help lookup check current specific given user information info data value name ' +
    'result request input output text'
  ).split(' '),
);

/** Verbs that say something of a tool, but less than what they are done to: `create_event`, `search_database`. */
export const actionVerbs = new Set(
  (
    'add ask book buy cancel compare count create delete describe draft explain extract generate insert list make ' +
    'open order play post print put query read recommend remove reply reserve save send start stop store update ' +
    'use write'
  ).split(' '),
);

/** Words that open a sentence in capitals and name nobody. */
export const openers = new Set(
  (
    'add ask book buy calculate call cancel check compare convert count create delete describe draft email ' +
    'explain extract fetch find first generate get give go hello help hey hi list look make open order play ' +
    'plan print put read recommend remind remove reply reserve respond return run say schedule search second ' +
    'send set show start stop summarize summarise tell translate turn update use weather write yes okay ok ' +
    'json dear lets today tomorrow could would should may might must shall'
  ).split(' '),
);

const endings: [string, string, number][] = [
  ['ies', 'y', 5],
  ['sses', 'ss', 6],
  ['ches', 'ch', 6],
  ['shes', 'sh', 6],
  ['ing', '', 6],
  ['ed', '', 5],
  ['ly', '', 6],
  ['s', '', 4],
  ['e', '', 5],
];

/** What people say when they mean the word on the left, as stems. */
const synonyms: Record<string, string> = {
  weather: 'temperature forecast rain rainy sunny snow cold warm hot umbrella',
  add: 'plus sum total',
  subtract: 'minus difference',
  multiply: 'time product',
  divide: 'quotient',
  email: 'mail',
  search: 'find look',
  time: 'clock hour',
  stock: 'share ticker price',
  book: 'reserve reservation',
  translate: 'translation',
  calendar: 'event meeting appointment schedule',
};

const meaning = new Map(
  Object.entries(synonyms).flatMap(([word, others]) =>
    others.split(' ').map((other): [string, string] => [stem(other), stem(word)]),
  ),
);

/** The stem that `word`'s stem stands for besides itself. */
export const meantBy = (stemmed: string): string | undefined => meaning.get(stemmed);

const wordPattern = /[\p{L}\p{N}]+/gu;

export const wordsOf = (text: string): string[] => text.toLowerCase().match(wordPattern) ?? [];

/** The parts of `get_weather`, `getWeather` or `get-weather`. */
export const nameParts = (name: string): string[] => wordsOf(name.replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2'));

/** A light stem: plurals, -ing and -ed become one. `word` is in lower case. */
export function stem(word: string): string {
  let short = word;
  for (const [ending, rest, least] of endings) {
    if (short.length < least || !short.endsWith(ending) || short.endsWith('ss')) continue;
    short = short.slice(0, -ending.length) + rest;
  }
  const last = short.at(-1);
  const doubled = short.length > 4 && last === short.at(-2) && last !== 'l' && last !== 's';
  return doubled ? short.slice(0, -1) : short;
}
