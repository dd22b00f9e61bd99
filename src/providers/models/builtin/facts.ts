import { stem, wordsOf } from './vocabulary.ts';

/** The little the builtin model knows: enough for the questions that SDK samples and tutorials ask. */
interface Place {
  name: string;
  capital: string;
  squareMiles: number;
}

const places: Place[] = [
  { name: 'France', capital: 'Paris', squareMiles: 248_573 },
  { name: 'Germany', capital: 'Berlin', squareMiles: 138_063 },
  { name: 'Italy', capital: 'Rome', squareMiles: 116_350 },
  { name: 'Spain', capital: 'Madrid', squareMiles: 195_364 },
  { name: 'Canada', capital: 'Ottawa', squareMiles: 3_855_100 },
  { name: 'Japan', capital: 'Tokyo', squareMiles: 145_937 },
  { name: 'India', capital: 'New Delhi', squareMiles: 1_269_219 },
  { name: 'Brazil', capital: 'Brasília', squareMiles: 3_287_956 },
  { name: 'Australia', capital: 'Canberra', squareMiles: 2_969_907 },
];

const statements: { about: string; answer: string }[] = [
  { about: 'feet mile', answer: 'There are 5,280 feet in a mile.' },
  { about: 'inches foot', answer: 'There are 12 inches in a foot.' },
  { about: 'kilometers mile', answer: 'A mile is about 1.609 kilometers.' },
  { about: 'days year', answer: 'A year has 365 days, a leap year 366.' },
  { about: 'hours day', answer: 'A day has 24 hours.' },
  {
    about: 'sky blue',
    answer:
      "The sky appears blue because air scatters the short wavelengths of sunlight more than the long ones. Blue reaches the eye from every direction. At sunset the light's path is longer, and mostly red is left.",
  },
  { about: 'invented telephone', answer: 'Alexander Graham Bell was granted the patent on it in 1876.' },
  { about: 'eiffel tower', answer: 'The Eiffel Tower in Paris was finished in 1889 and is 330 meters tall.' },
  {
    about: 'joke',
    answer: 'Why do programmers mix up Halloween and Christmas? Because OCT 31 equals DEC 25.',
  },
  { about: 'poem', answer: 'Ore and charcoal, air and flame: same in, same out, always the same.' },
];

const capitalWords = new Set(['capital'].map(stem));
const areaWords = new Set(['size', 'area', 'big', 'large'].map(stem));
const placeStems = new Map(places.map((place): [string, Place] => [stem(place.name.toLowerCase()), place]));
const statementStems = statements.map(({ about, answer }) => ({ stems: wordsOf(about).map(stem), answer }));
const followUpLength = 10;

/** A sentence that answers `text`; a short follow-up may take its subject from `earlier` turns. */
export function factAbout(text: string, earlier: string[]): string | null {
  const words = wordsOf(text);
  if (words.length > 60) return null;
  const stems = new Set(words.map(stem));
  if (intersects(stems, capitalWords) || intersects(stems, areaWords)) {
    const place = placeIn(stems) ?? (words.length <= followUpLength ? placeAmong(earlier) : null);
    if (place !== null) return aboutPlace(place, stems);
  }
  return statementStems.find((statement) => statement.stems.every((each) => stems.has(each)))?.answer ?? null;
}

function aboutPlace({ name, capital, squareMiles }: Place, stems: Set<string>): string {
  if (intersects(stems, capitalWords)) return `The capital of ${name} is ${capital}.`;
  return `${name} has an area of about ${squareMiles.toLocaleString('en-US')} square miles.`;
}

function placeIn(stems: Set<string>): Place | null {
  for (const each of stems) {
    const place = placeStems.get(each);
    if (place !== undefined) return place;
  }
  return null;
}

function placeAmong(turns: string[]): Place | null {
  for (const turn of turns.slice(-8).reverse()) {
    const place = placeIn(new Set(wordsOf(turn).map(stem)));
    if (place !== null) return place;
  }
  return null;
}

function intersects(stems: Set<string>, words: Set<string>): boolean {
  for (const word of words) if (stems.has(word)) return true;
  return false;
}
