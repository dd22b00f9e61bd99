import type { Outbound } from '../../outbound/outbound.ts';
import type { ToolFunction } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';
import type { BrowserPage } from './browser-page.ts';

const described = {
  ref: 'The element, such as e3, as the page was last shown.',
  text: 'What to type, or to choose.',
};

const fn = (
  name: string,
  description: string,
  properties: Record<string, object>,
  required: string[],
): ToolFunction => ({
  name: `browser_${name}`,
  qualifiedName: `server_browser_${name}`,
  description: `${description} Returns what the page shows: title, address, text, and the elements that can be used.`,
  parameters: { type: 'object', properties, required, additionalProperties: false },
  strict: null,
});

const text = (description: string) => ({ type: 'string', description });

/** What the model can do in a browser. */
export const browserFunctions: ToolFunction[] = [
  fn('navigate', 'Visit a page in the browser.', { url: text('The whole address, with https://.') }, ['url']),
  fn('look', 'Read the page that is open in the browser.', {}, []),
  fn('click', 'Click on an element of the page in the browser.', { ref: text(described.ref) }, ['ref']),
  fn(
    'type',
    'Type into a field of the page in the browser, in place of what is in it, or choose an entry of a list.',
    {
      ref: text(described.ref),
      text: text(described.text),
      submit: { type: 'boolean', description: 'Whether to press Enter behind it.' },
    },
    ['ref', 'text'],
  ),
];

/** Does what one of the functions says, and returns what the page shows. */
export async function doInBrowser(
  outbound: Outbound,
  page: BrowserPage,
  name: string,
  given: Record<string, unknown>,
  signal: AbortSignal,
): Promise<string> {
  const needed = (member: string): string => {
    const value = given[member];
    if (typeof value === 'string' && value !== '') return value;
    throw toolFailure(`The parameter '${member}' is missing.`);
  };
  switch (name) {
    case 'browser_navigate': {
      const url = needed('url');
      // The browser is elsewhere, but what tools may not call, they may not have opened either.
      await outbound.check(url, 'url');
      return page.navigate(url, signal);
    }
    case 'browser_click':
      return page.click(needed('ref'), signal);
    case 'browser_type':
      return page.type(needed('ref'), String(given.text ?? ''), given.submit === true, signal);
    default:
      return page.look(signal);
  }
}
