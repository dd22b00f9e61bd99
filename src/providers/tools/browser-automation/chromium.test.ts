import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chromium, chromium, hasChromium } from '../testing/chromium.ts';
import { type HttpServer, httpServer } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { type PlaywrightService, playwrightService } from '../testing/playwright-service.ts';
import type { OpenTool, ServerTool } from '../tool.ts';
import { browserTools } from './browser-tool.ts';

const form = `<!doctype html><title>Order</title><h1>Order a bicycle</h1><p hidden>Not seen</p>
<form action="/done"><label>Name <input name="name" value="old"></label>
<label>Colour <select name="colour"><option>Red</option><option>Blue</option></select></label>
<label>Secret <input type="password" name="secret" value="hunter2"></label><button>Send</button></form>
<a href="/other" target="_blank">Elsewhere</a><button onclick="alert('Hello')">Greet</button>
<button onclick="document.querySelector('h1').innerText = 'Changed'">Change</button>`;

/** What the scripted browser of the other tests only pretends. */
describe.skipIf(!hasChromium())('in a real browser', { timeout: 60_000 }, () => {
  let real: Chromium;
  let service: PlaywrightService;
  let site: HttpServer;
  let tool: OpenTool;
  const use = async (name: string, given: object = {}) =>
    (await called(tool, `browser_${name}`, given, AbortSignal.timeout(30_000))).output;
  const refOf = (shown: string, label: string) => {
    const escaped = label.replace(/[()]/g, '\\$&');
    return (
      new RegExp(`\\[(e\\d+)\\] [\\w -]+ "${escaped}`).exec(shown)?.[1] ??
      expect.fail(`no '${label}' in ${shown}`)
    );
  };

  beforeAll(async () => {
    real = await chromium();
    service = await playwrightService({ token: 't', browserUrl: real.url });
    site = await httpServer((response, { url }) => {
      response.setHeader('content-type', 'text/html');
      response.end(url === '/' ? form : `<title>Page</title><body>You are at ${url}</body>`);
    });
    const connections = fixedConnections({
      browser: { target: service.url, credentials: { type: 'ApiKey', apiKey: 't' } },
    });
    const [ga] = browserTools({ outbound: loopbackOutbound, connections }) as [ServerTool];
    tool = await opened(ga, {
      type: 'browser_automation',
      browser_automation: { connection: { project_connection_id: 'browser' } },
    });
  });
  afterAll(async () => {
    tool?.close?.();
    await site?.close();
    await service?.close();
    await real?.close();
  });

  test('a page is shown by its text and elements', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    expect(shown).toMatch(/^Order\nhttp:\/\/127\.0\.0\.1:\d+\/\n\nOrder a bicycle/);
    expect(shown).toContain('input text "Name" = "old"');
    expect(shown).toContain('select select-one "Colour');
    expect(shown).toContain('input password "Secret"');
    expect(shown).not.toMatch(/Not seen|hunter2/);
  });

  test('a form is filled in and sent', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    await use('type', { ref: refOf(shown, 'Name'), text: 'Ann & Bob' });
    const typed = await use('type', { ref: refOf(shown, 'Colour'), text: 'blue' });
    expect(typed).toContain('"Name" = "Ann & Bob"');
    const sent = await use('click', { ref: refOf(typed, 'Send') });
    expect(sent).toContain('You are at /done?name=Ann+%26+Bob&colour=Blue&secret=hunter2');
  });

  test('Enter sends it, too', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    const sent = await use('type', { ref: refOf(shown, 'Name'), text: 'Ann', submit: true });
    expect(sent).toContain('You are at /done?name=Ann&colour=Red');
  });

  test('scripts of the page do what they do, and dialogs do not stop it', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    const greeted = await use('click', { ref: refOf(shown, 'Greet') });
    expect(await use('click', { ref: refOf(greeted, 'Change') })).toContain('Changed');
  });

  test('a link that wants a tab of its own opens here', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    expect(await use('click', { ref: refOf(shown, 'Elsewhere') })).toContain('You are at /other');
  });

  test('elements of the page before are no more', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    await use('navigate', { url: `${site.url}/next` });
    await expect(use('click', { ref: refOf(shown, 'Send') })).rejects.toThrow(
      /no element 'e\d+' on the page now/,
    );
    await expect(use('type', { ref: 'e99', text: 'x' })).rejects.toThrow(/no element 'e99'/);
  });

  test('an entry that a list does not have is said', async () => {
    const shown = await use('navigate', { url: `${site.url}/` });
    await expect(use('type', { ref: refOf(shown, 'Colour'), text: 'Green' })).rejects.toThrow(
      /no entry 'Green'/,
    );
  });

  test('a page that is not there is said', async () => {
    await expect(use('navigate', { url: 'http://127.0.0.1:9/' })).rejects.toThrow(
      /could not open the page: net::ERR/,
    );
  });
});
