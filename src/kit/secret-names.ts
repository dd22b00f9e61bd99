/** What tells a secret: the name that it goes by. */

/** Of headers; what looks like one is taken for one. */
export const isSecretHeader = (name: string): boolean =>
  /auth|cookie|credential|key|passw|secret|token/i.test(name);

const secretWord =
  /(secret|password|passwd|passphrase|pwd|authorization|cookie|credentials?|connectionstring)$/;
const secretKey =
  /(^|access|account|admin|api|auth|client|encryption|function|host|license|master|primary|private|secondary|service|shared|signing|storage|subscription)keys?$/;
const secretToken = /(^|access|auth|bearer|id|refresh|sas|security|session|user|api)token$/;

/** Of members of JSON and parameters of addresses, however their words are joined. */
export function isSecretField(name: string): boolean {
  const word = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (word === 'keys') return false;
  return word === 'sas' || secretWord.test(word) || secretKey.test(word) || secretToken.test(word);
}

/** A secret as it is, in an address, and in JSON. */
export const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  JSON.stringify(secret).slice(1, -1),
];
