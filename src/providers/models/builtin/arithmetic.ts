const operand = String.raw`-?\d+(?:\.\d+)?`;
const operator = String.raw`\s*[+*×÷]\s*|\s+[-−/x]\s+|\s+(?:plus|minus|times|multiplied by|divided by|over)\s+`;
const sumPattern = new RegExp(`(?<![\\d.:/-])${operand}(?:(?:${operator})${operand}){1,16}(?![\\d:/-])`, 'i');
const stepPattern = new RegExp(`(${operator})(${operand})`, 'gi');
const percentPattern =
  /(?<![\d.])(\d{1,15}(?:\.\d{1,15})?)\s*(?:%|percent)\s+(?:tip\s+)?(?:of|on)\s+(?:a\s+)?\$?(\d{1,15}(?:\.\d{1,15})?)/i;

/** The sentence that solves the first sum in `text`, such as `12 times 7`, `1 + 2 * 3` or `15% of 80`. */
export function solve(text: string): string | null {
  const percent = percentPattern.exec(text);
  if (percent !== null) {
    const [, share = '', whole = ''] = percent;
    return `${share}% of ${whole} is ${shown((Number(share) * Number(whole)) / 100)}.`;
  }
  const sum = sumPattern.exec(text)?.[0];
  if (sum === undefined) return null;
  const value = evaluate(sum);
  return value === null ? `${sum} has no value.` : `${sum} = ${shown(value)}.`;
}

/** The first sum in `text` as it stands there, percentages too. */
export const sumIn = (text: string): string | null =>
  (percentPattern.exec(text) ?? sumPattern.exec(text))?.[0] ?? null;

function evaluate(sum: string): number | null {
  const first = Number.parseFloat(sum);
  const terms = [first];
  for (const [, sign = '', number = ''] of sum
    .slice(String(sum.match(/^[-\d.]+/)).length)
    .matchAll(stepPattern)) {
    const value = Number(number);
    const last = terms.length - 1;
    const kind = sign.trim().toLowerCase();
    if (kind === '+' || kind === 'plus') terms.push(value);
    else if (kind === '-' || kind === '−' || kind === 'minus') terms.push(-value);
    else if (/^(?:[÷/]|divided by|over)$/.test(kind)) terms[last] = (terms[last] ?? 0) / value;
    else terms[last] = (terms[last] ?? 0) * value;
  }
  const total = terms.reduce((left, right) => left + right, 0);
  return Number.isFinite(total) ? total : null;
}

const shown = (value: number): string => String(Number(value.toPrecision(12)));
