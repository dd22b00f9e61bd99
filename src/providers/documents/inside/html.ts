import { Parser } from 'htmlparser2';
import { textWriter } from './text-writer.ts';

const words = (text: string): Set<string> => new Set(text.split(' '));
const leftOut = words(
  'script style template noscript svg math iframe object canvas select datalist textarea',
);
const lines = words('div tr dt dd option summary legend label caption address figcaption br');
const paragraphs = words(
  'p h1 h2 h3 h4 h5 h6 ul ol dl pre table blockquote section article header footer main nav aside form figure title hr details fieldset body',
);
const headings = /^h[1-6]$/;
const mostIndents = 8;

/** The text of a page as it is read: headings and lists with the marks of Markdown, tables as rows. */
export function htmlText(html: string, mostCharacters: number): string {
  const writer = textWriter(mostCharacters);
  let silent = 0;
  let exact = 0;
  /** Of each open list the number of the next item; null where they have none. */
  const lists: (number | null)[] = [];

  const parser = new Parser({
    onopentag(name, { alt }) {
      if (leftOut.has(name)) silent++;
      if (silent > 0) return;
      if (name === 'li') writer.mark(itemMark(lists));
      else if (name === 'tr') writer.row();
      else if (name === 'td' || name === 'th') writer.cell();
      else if (name === 'img') writer.words(alt ?? '');
      else if (paragraphs.has(name)) {
        lists.length > 0 ? writer.lineBreak() : writer.paragraphBreak();
        if (name === 'ul') lists.push(null);
        else if (name === 'ol') lists.push(1);
        else if (name === 'pre') exact++;
        else if (headings.test(name)) writer.mark(`${'#'.repeat(Number(name.slice(1)))} `);
      } else if (lines.has(name)) writer.lineBreak();
    },
    onclosetag(name) {
      if (leftOut.has(name)) silent--;
      if (silent > 0) return;
      if (name === 'li' || headings.test(name)) writer.mark('');
      if (paragraphs.has(name)) {
        if (name === 'ul' || name === 'ol') lists.pop();
        if (name === 'pre') exact--;
        if (name === 'table') writer.row();
        lists.length > 0 ? writer.lineBreak() : writer.paragraphBreak();
      } else if (lines.has(name)) writer.lineBreak();
    },
    ontext(text) {
      if (silent > 0) return;
      if (exact > 0) writer.exactly(text);
      else writer.words(text);
    },
  });
  parser.write(html);
  parser.end();
  return writer.text();
}

function itemMark(lists: (number | null)[]): string {
  const indent = '  '.repeat(Math.min(Math.max(lists.length - 1, 0), mostIndents));
  const number = lists.at(-1) ?? null;
  if (number !== null) lists[lists.length - 1] = number + 1;
  return `${indent}${number === null ? '-' : `${number}.`} `;
}

/** What a page says its encoding is. */
export function declaredEncoding(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  return /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})/i.exec(head)?.[1] ?? null;
}
