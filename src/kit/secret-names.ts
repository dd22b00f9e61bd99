/** What tells a secret: the name that it goes by. */

/** Of headers; what looks like one is taken for one. */
export const isSecretHeader = (name: string): boolean =>
  /auth|cookie|credential|key|passw|secret|token/i.test(name);

const secretWord =
  /(secrets?|passwords?|passwds?|passphrases?|pwd|authorization|cookies?|credentials?|connectionstrings?)(value)?$/;
const secretKey =
  /(^|access|account|admin|api|app|auth|bot|client|consumer|deploy|encryption|functions?|hmac|hook|host|integration|license|master|primary|private|secondary|service|session|shared|sign|signing|ssh|storage|subscription|user)keys?(value)?$/;
/** A place in a list, a state of something, or a piece of a model's text. */
const harmlessToken =
  /(bos|change|cls|completion|concurrency|consistency|continuation|cursor|delta|eos|first|last|list|marker|mask|next|pad|page|pagination|per|prompt|resume|sep|skip|special|start|stop|sync|top|unk)(page)?token$/;

/** Of members of JSON and parameters of addresses, however their words are joined. */
export function isSecretField(name: string): boolean {
  const word = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (word === 'keys') return false;
  if (/token(value)?$/.test(word)) return !harmlessToken.test(word);
  return word === 'sas' || secretWord.test(word) || secretKey.test(word);
}

/** A secret as it is, in an address, and in JSON. */
export const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  JSON.stringify(secret).slice(1, -1),
];
