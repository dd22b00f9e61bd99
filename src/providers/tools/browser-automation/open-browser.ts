import { toolFailure } from '../tool-failure.ts';
import { type BrowserPage, openPage } from './browser-page.ts';
import { type DevTools, DevToolsError, devTools } from './devtools.ts';
import type { BeginBrowser } from './playwright-workspace.ts';

const dialogMilliseconds = 10_000;

/** A browser for one response: begun with the first call, one page, one thing at a time. */
export interface OpenBrowser {
  use<T>(work: (page: BrowserPage) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): void;
}

interface Session {
  browser: DevTools;
  page: BrowserPage;
}

export function openBrowser(begin: BeginBrowser): OpenBrowser {
  let session: Session | null = null;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  const ready = async (signal: AbortSignal): Promise<Session> => {
    if (session?.browser.isOpen) return session;
    const browser = devTools(await begin(signal), (method, sessionId) => {
      if (method !== 'Page.javascriptDialogOpening') return;
      // Until a dialog is answered, its page does nothing.
      const answer = { sessionId, signal: AbortSignal.timeout(dialogMilliseconds) };
      browser.send('Page.handleJavaScriptDialog', { accept: false }, answer).catch(() => {});
    });
    try {
      const page = await openPage(browser, signal);
      await browser.send('Browser.setDownloadBehavior', { behavior: 'deny' }, { signal }).catch(() => {});
      signal.throwIfAborted();
      session = { browser, page };
      return session;
    } catch (error) {
      browser.close();
      throw error;
    }
  };

  return {
    use(work, signal) {
      const run = async () => {
        signal.throwIfAborted();
        const { browser, page } = await ready(signal);
        if (isClosed) browser.close();
        return work(page);
      };
      const told = (error: unknown): never => {
        if (!(error instanceof DevToolsError)) throw error;
        throw toolFailure(`The browser answered: ${error.message.slice(0, 200)}`);
      };
      const done = last.then(run).catch(told);
      last = done.catch(() => {});
      return done;
    },
    close() {
      isClosed = true;
      session?.browser.close();
    },
  };
}
