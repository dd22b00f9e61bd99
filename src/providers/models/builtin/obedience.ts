/** What can be obeyed to the letter: exact words, counting, writing so many words. */

const verb = '(?:reply|respond|answer|say|write|output|return|print|repeat)';
const quote = `["“'‘\`]`;
const exactPattern = new RegExp(
  String.raw`\b${verb}(?:\s+(?:back|to\s+me|me|always))?\s+(?:with\s+)?(?:exactly|verbatim|only|just|nothing\s+but)` +
    String.raw`(?:\s+with)?(?:\s+(?:the|this|these)\s+(?:exact\s+)?(?:words?|texts?|phrases?|sentences?|string))?\s*:?\s+(\S[^]*)$`,
  'i',
);
const quotedPattern = new RegExp(
  String.raw`\b${verb}\s+(?:with\s+)?(?:the\s+(?:exact\s+)?(?:words?|text|phrase|sentence)\s+)?:?\s*(${quote}[^]*)$`,
  'i',
);
const sayPattern = /^(?:please\s+)?(?:say|repeat after me)\b[:,]?\s+(\S[\s\S]*)$/i;
/** Not words to say but words about them: `only the number`, `exactly one sentence`, `only in French`. */
const description =
  /^(?:the|a|an|your|my|its|in|if|when|to|about|as|from|for|by|valid|json|one|two|three|\d+\s+(?:sentences?|words?|lines?|paragraphs?|bullets?))\b/i;
const quotedText = /^(?:"([^"]+)"|“([^”]+)”|'([^'\n]+)'(?!\w)|‘([^’]+)’|`([^`]+)`)/;
const afterthought = /[,.]?\s+(?:and|with)\s+(?:nothing|no)\s+(?:else|more|other)\b.*$/i;

/** The words that `text` asks for; instructions must be plainer about it than a user's turn. */
export function exactWords(text: string, from: 'turn' | 'instructions'): string | null {
  const match = exactPattern.exec(text);
  const exact = match?.[1];
  if (match !== null && exact !== undefined) {
    const words = literal(exact);
    const afterColon = match[0].slice(0, -exact.length).includes(':');
    if (words.quoted || afterColon || !description.test(words.text)) return words.text;
  }
  const quoted = quotedPattern.exec(text)?.[1];
  if (quoted !== undefined) {
    const words = literal(quoted);
    if (words.quoted) return words.text;
  }
  const said = from === 'turn' ? sayPattern.exec(text)?.[1] : undefined;
  return said === undefined ? null : literal(said).text;
}

function literal(text: string): { text: string; quoted: boolean } {
  const match = quotedText.exec(text);
  const inside = match?.slice(1).find((group) => group !== undefined);
  if (inside !== undefined) return { text: inside, quoted: true };
  const line = (text.split('\n', 1)[0] ?? '').replace(afterthought, '').trim();
  return { text: line.endsWith('.') && !line.endsWith('..') ? line.slice(0, -1) : line, quoted: false };
}

const countPattern =
  /\bcount\s+(?:(?:up|slowly|aloud)\s+)?(?:from\s+(\d{1,7})\s+)?(?:up\s+)?to\s+(\d{1,7})\b/i;
const wordsPattern =
  /\b(?:write|generate|produce|stream|give|send|output|say)\s+(?:me\s+)?(?:exactly\s+|about\s+|a\s+|an\s+)?(\d{1,7})[\s-](?:words?|tokens?|chunks?)\b/i;
const mostWords = 4096;

/** `1 2 3 …` or so many words, when `text` asks for them; at most 4096. */
export function wordsAskedFor(text: string): string | null {
  const count = countPattern.exec(text);
  if (count !== null) {
    const from = Number(count[1] ?? 1);
    const length = Math.min(mostWords, Math.max(1, Number(count[2]) - from + 1));
    return Array.from({ length }, (_, at) => from + at).join(' ');
  }
  const words = wordsPattern.exec(text);
  if (words === null) return null;
  const length = Math.min(mostWords, Math.max(1, Number(words[1])));
  return `${Array.from({ length }, (_, at) => ramble[at % ramble.length]).join(' ')}.`;
}

const ramble = (
  'the furnace takes ore and charcoal and a steady stream of air and after some hours of patient work ' +
  'gives back a bloom of iron which the smith turns and strikes until it is clean and'
).split(' ');

const upperPattern = /\b(?:upper[ -]?case|all[ -]caps|capital letters)\b/i;
const lowerPattern = /\b(?:lower[ -]?case|small letters)\b/i;
const framePattern =
  /\b(start|begin|end|finish)\s+(?:(?:your|every|each|all|the|any)\s+)*(?:answers?|repl(?:y|ies)|responses?|messages?)\s+with\s+(?:the\s+(?:words?|phrase)\s+)?["“'‘]?([^"”’\n.]{1,80}?)["”’.]*(?=$|[\n."”’]|\s+and\s)/gi;

/** Applies what `instructions` say of every answer's form: its case, what it starts or ends with. */
export function inForm(answer: string, instructions: string): string {
  if (instructions === '') return answer;
  let text = answer;
  for (const [, where = '', words = ''] of instructions.matchAll(framePattern)) {
    text = /^(?:start|begin)$/i.test(where) ? `${words} ${text}` : `${text} ${words}`;
  }
  if (upperPattern.test(instructions)) return text.toUpperCase();
  return lowerPattern.test(instructions) ? text.toLowerCase() : text;
}
