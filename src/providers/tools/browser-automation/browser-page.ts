import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, recordsIn } from '../../../kit/record.ts';
import { toolFailure } from '../tool-failure.ts';
import { type DevTools, DevToolsError } from './devtools.ts';
import { focusElement, lookAtPage, placeOfElement, readyState } from './page-script.ts';

/** One page of a browser. Each thing done to it returns what it shows afterwards. */
export interface BrowserPage {
  navigate(url: string, signal: AbortSignal): Promise<string>;
  look(signal: AbortSignal): Promise<string>;
  click(ref: string, signal: AbortSignal): Promise<string>;
  type(ref: string, text: string, submit: boolean, signal: AbortSignal): Promise<string>;
}

const mostText = 20_000;
const mostElements = 150;
/** Before a click has led anywhere, the old page still looks finished. */
const reactionMilliseconds = 400;
const pollMilliseconds = 250;
/** Some pages never finish; then what is there has to do. */
const settleMilliseconds = 15_000;

export async function openPage(browser: DevTools, signal: AbortSignal): Promise<BrowserPage> {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' }, { signal });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true }, { signal });
  if (typeof sessionId !== 'string') throw toolFailure('The browser has no page to show.');
  const send = (method: string, params: Record<string, unknown>, signal: AbortSignal) =>
    browser.send(method, params, { sessionId, signal });
  await send('Page.enable', {}, signal);

  const inPage = async (source: string, given: unknown[], signal: AbortSignal): Promise<unknown> => {
    for (let again = true; ; again = false) {
      try {
        const { result, exceptionDetails } = await send(
          'Runtime.callFunctionOn',
          {
            functionDeclaration: source,
            arguments: given.map((value) => ({ value })),
            executionContextId: await ownWorld(signal),
            returnByValue: true,
          },
          signal,
        );
        if (exceptionDetails !== undefined) throw toolFailure('The page could not be read.');
        return isRecord(result) ? result.value : undefined;
      } catch (error) {
        // The page may have become another one in between.
        if (!again || !(error instanceof DevToolsError)) throw error;
      }
    }
  };
  /** The same as long as the page is the same. Asked for each time: on another page its id may be that of any world. */
  const ownWorld = async (signal: AbortSignal) => {
    const { frameTree } = await send('Page.getFrameTree', {}, signal);
    const frame = isRecord(frameTree) ? frameTree.frame : null;
    const frameId = isRecord(frame) ? frame.id : null;
    const made = await send('Page.createIsolatedWorld', { frameId, worldName: 'bloomery' }, signal);
    return made.executionContextId;
  };

  const settled = async (signal: AbortSignal): Promise<void> => {
    const end = performance.now() + settleMilliseconds;
    while (performance.now() < end) {
      const answer = await inPage(readyState, [], signal);
      if (isRecord(answer) && answer.state === 'complete') return;
      await sleep(pollMilliseconds, undefined, { signal });
    }
  };
  const look = async (signal: AbortSignal): Promise<string> => {
    await settled(signal);
    return described(await inPage(lookAtPage, [mostText, mostElements], signal));
  };
  const reacted = async (signal: AbortSignal): Promise<string> => {
    await sleep(reactionMilliseconds, undefined, { signal });
    return look(signal);
  };
  const found = async (source: string, given: unknown[], signal: AbortSignal) => {
    const answer = await inPage(source, given, signal);
    if (isRecord(answer)) return answer;
    throw toolFailure(
      `There is no element '${String(given[0]).slice(0, 32)}' on the page now. Look at it again.`,
    );
  };

  return {
    look,
    async navigate(url, signal) {
      const { errorText } = await send('Page.navigate', { url }, signal);
      if (typeof errorText === 'string' && errorText !== '') {
        throw toolFailure(`The browser could not open the page: ${errorText.slice(0, 200)}.`);
      }
      return look(signal);
    },
    async click(ref, signal) {
      const { x, y } = await found(placeOfElement, [ref], signal);
      for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased']) {
        const button = type === 'mouseMoved' ? {} : { button: 'left', clickCount: 1 };
        await send('Input.dispatchMouseEvent', { type, x, y, ...button }, signal);
      }
      return reacted(signal);
    },
    async type(ref, text, submit, signal) {
      const { isChosen } = await found(focusElement, [ref, text], signal);
      if (isChosen === false) throw toolFailure(`The list '${ref}' has no entry '${text.slice(0, 100)}'.`);
      if (isChosen === undefined) await send('Input.insertText', { text }, signal);
      if (submit) {
        const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' };
        await send('Input.dispatchKeyEvent', { type: 'keyDown', ...enter }, signal);
        await send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter }, signal);
      }
      return reacted(signal);
    },
  };
}

function described(shown: unknown): string {
  if (!isRecord(shown)) throw toolFailure('The page could not be read.');
  const elements = recordsIn(shown.elements).map(
    ({ ref, kind, label, value }) => `[${ref}] ${kind} "${label}"${value ? ` = "${value}"` : ''}`,
  );
  return [
    `${shown.title}\n${shown.url}`,
    `${shown.text}${shown.isClipped ? '\n[the page goes on]' : ''}`,
    elements.length === 0 ? '' : `Elements:\n${elements.join('\n')}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
