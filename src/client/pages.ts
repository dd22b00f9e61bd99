/** Lists in pages, by every way the services have: cursors, links, tokens, and offsets. */

/** A page as it came. */
export type Page = Record<string, unknown>;

/** Where the next page is: the address of this one, changed; or an address that the service made, to be left as it is. */
export type Next = { url: string; isOurs: boolean };

/** Reads the page at an address. */
export type ReadPage = (at: Next) => Promise<Page>;

const mostPages = 100_000;

/** All pages from the first on. Ends with an error where they go round in circles. */
export async function* eachPage(first: string, read: ReadPage): AsyncGenerator<Page, void> {
  let next: Next | null = { url: first, isOurs: true };
  const seen = new Set<string>();
  while (next !== null) {
    if (seen.has(next.url) || seen.size >= mostPages) {
      throw new Error(`The pages of ${first} do not come to an end: ${next.url} leads back.`);
    }
    seen.add(next.url);
    const page: Page = await read(next);
    yield page;
    next = nextOf(page, next.url);
  }
}

/** What is listed on a page, whatever it is called: `data`, `value`, or `entries`. */
export function elementsOf(page: Page): unknown[] {
  const elements = page.data ?? page.value ?? page.entries;
  return Array.isArray(elements) ? elements : [];
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function nextOf(page: Page, url: string): Next | null {
  const link = textOf(page.nextLink) ?? textOf(page.next_link);
  if (link !== null) return { url: link, isOurs: false };
  const token = textOf(page.continuationToken);
  if (token !== null) return { url: changed(url, { continuationToken: token }), isOurs: true };
  if (page.has_more === true) return nextByCursor(page, url);
  return nextByOffset(page, url);
}

/** Someone who asked for what stands before an element goes on backwards. */
function nextByCursor(page: Page, url: string): Next {
  const given = new URL(url).searchParams;
  const backwards = given.has('before') && !given.has('after');
  const cursor = textOf(backwards ? page.first_id : page.last_id);
  if (cursor === null) throw new Error(`A page of ${url} has more behind it and does not say where.`);
  return { url: changed(url, { [backwards ? 'before' : 'after']: cursor }), isOurs: true };
}

/** Only for who asked for it with `skip`: a page that is full may have another behind it. */
function nextByOffset(page: Page, url: string): Next | null {
  const given = new URL(url).searchParams;
  const [top, skip] = [Number(given.get('top')), Number(given.get('skip'))];
  if (!given.has('skip') || !(top > 0) || !Number.isInteger(skip)) return null;
  if (elementsOf(page).length < top) return null;
  return { url: changed(url, { skip: String(skip + top) }), isOurs: true };
}

function changed(url: string, query: Record<string, string>): string {
  const next = new URL(url);
  for (const [name, value] of Object.entries(query)) next.searchParams.set(name, value);
  return next.href;
}
