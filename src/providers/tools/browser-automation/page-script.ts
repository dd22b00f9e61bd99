/**
 * What runs inside pages, in a world of its own beside the page's scripts. It keeps the elements that the model has
 * been shown by their numbers, until the page is another one.
 */
const elements = `
  const known = (globalThis.__shown ??= []);
  const named = (ref) => {
    const element = known[Number(String(ref).replace(/^e/, '')) - 1];
    return element?.isConnected ? element : null;
  };
`;

/** Title, text and elements of the page, up to a number each. */
export const lookAtPage = `function lookAtPage(mostText, mostElements) {
  ${elements}
  const selector =
    'a[href], button, input:not([type=hidden]), textarea, select, summary, [role=button], [role=link], ' +
    '[role=checkbox], [role=tab], [role=menuitem], [contenteditable=""], [contenteditable=true]';
  const isShown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
  };
  const tidy = (text) => String(text ?? '').replace(/\\s+/g, ' ').trim().slice(0, 120);
  const shown = [...document.querySelectorAll(selector)].filter(isShown).slice(0, mostElements);
  known.length = 0;
  known.push(...shown);
  const text = document.body?.innerText ?? '';
  return {
    url: location.href,
    title: document.title.slice(0, 500),
    text: text.slice(0, mostText),
    isClipped: text.length > mostText,
    elements: shown.map((element, i) => ({
      ref: 'e' + (i + 1),
      kind: (element.getAttribute('role') ?? element.tagName + (element.type ? ' ' + element.type : '')).toLowerCase(),
      label: tidy(
        element.getAttribute('aria-label') ||
          element.labels?.[0]?.innerText ||
          element.innerText ||
          element.placeholder ||
          element.title ||
          element.name,
      ),
      value: element.type === 'password' ? '' : tidy(element.matches('input, textarea, select') ? element.value : ''),
    })),
  };
}`;

/** The middle of an element, scrolled into view; null where there is none of this number. */
export const placeOfElement = `function placeOfElement(ref) {
  ${elements}
  const element = named(ref);
  if (element === null) return null;
  // A second tab would not be seen.
  element.closest('a[target], form[target]')?.removeAttribute('target');
  element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}`;

/** Makes an element ready to be typed into, its old text selected. A list takes its entry here. */
export const focusElement = `function focusElement(ref, text) {
  ${elements}
  const element = named(ref);
  if (element === null) return null;
  if (element.tagName === 'SELECT') {
    const wanted = text.trim().toLowerCase();
    const entry = [...element.options].find((one) => [one.value, one.text.trim()].some((each) => each.toLowerCase() === wanted));
    if (entry === undefined) return { isChosen: false };
    element.value = entry.value;
    for (const kind of ['input', 'change']) element.dispatchEvent(new Event(kind, { bubbles: true }));
    return { isChosen: true };
  }
  element.scrollIntoView({ block: 'center', behavior: 'instant' });
  element.focus();
  if (element.select) element.select();
  else getSelection()?.selectAllChildren(element);
  return {};
}`;

export const readyState = 'function readyState() { return { state: document.readyState }; }';
