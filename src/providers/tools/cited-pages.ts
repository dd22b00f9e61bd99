import { textFunction } from './text-function.ts';
import type { CitedSource, ToolFunction } from './tool.ts';

/** What a search has found, with the mark by which an answer refers to it. */
export interface MarkedPage {
  mark: string;
  title: string;
  url: string;
  text: string;
}

/** A function of the model's that searches. */
export const searchFunction = (name: string, description: string): ToolFunction =>
  textFunction({ name, qualifiedName: `server_${name}`, description }, 'query', 'What to search for.');

/** What the model is told of the pages, up to a number of characters of each. */
export function tellPages(query: string, pages: MarkedPage[], characters: number): string {
  if (pages.length === 0) return `Nothing was found for '${query}'.`;
  return pages
    .map(({ mark, title, url, text }) => `${mark} ${title}\n${url}\n${shortened(text, characters)}`)
    .join('\n\n');
}

export const shortened = (text: string, characters: number): string =>
  text.length <= characters ? text : `${text.slice(0, characters).toWellFormed()}…`;

/** A page is cited by its mark or by its address. */
export const citePage = ({ mark, url, title }: MarkedPage): CitedSource[] => [
  ...citeMark({ mark, url, title }),
  ...citeMark({ mark: url, url, title }),
];

export const citeMark = ({ mark, url, title }: Pick<MarkedPage, 'mark' | 'url' | 'title'>): CitedSource[] => [
  { mention: mark, annotation: { type: 'url_citation', url, title } },
];
