/** Secrets that can be told by their form, or by the name that they are assigned to in a text. */
import { isSecretField } from '../kit/secret-names.ts';

export interface Told {
  start: number;
  secret: string;
  name: string;
}

/** Of each the part that is kept, then the secret. All quantifiers that can begin anywhere are bounded. */
const forms: RegExp[] = [
  // The signature of an address in Azure Storage, also within JSON and other addresses.
  /((?<![a-z_])sig(?:=|%3d))([^&\s"'<>\\#;,]+)/gi,
  /((?:account|sharedaccess|access)key=|sharedaccesssignature=|(?<![a-z])(?:password|pwd)=)([^;&\s"'<>\\]+)/gi,
  /((?<![a-z])(?:password|pwd) ?= ?)([^;&\s"'<>\\()[\]]{1,256})(?=[;&\s"'<>\\]|$)/gi,
  /(\bbearer(?:\s{1,8}|%20))((?=[^\s"]{0,512}\d)[\w.~+/=-]{16,})/gi,
  /(\b[Bb]asic(?:\s{1,8}|%20))((?=[^\s"]{0,512}[\dA-Z])[\w+/]{16,}={0,2})/g,
  /()(\beyJ[\w-]{8,2048}\.[\w-]{8,16384}\.[\w-]{0,4096})/g,
  /(\b)((?:sk|pk|rk)-[\w-]{16,}|blm_[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|hf_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[\dA-Z]{16}|AIza[\w-]{35})/g,
  /(:\/\/[^\s:/@"'\\]{0,128}:)([^\s:/@"'\\]{1,1024})(?=@)/g,
  /(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)((?:[^-]|-(?!----)){1,16384})/g,
];

/** Of an address or a form. */
const parameter = /([?&]|^)([\w.-]{1,64})=([^&\s"'<>\\#]+)/g;
/** Of a shell or a file of settings; what is code, as in `api_key=read()`, has no digit or does not end so. */
const assignment =
  /(?<![\w.?&-])(?:export )?([A-Za-z][\w.-]{0,63})( ?= ?\\?["']?)((?=[^\s"]{0,512}\d)[\w+/=~.-]{8,4096})(?![\w([+/=~.-])/g;

export function formed(text: string): Told[] {
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map(({ index, 1: kept = '', 2: secret = '' }) => ({
      start: index + kept.length,
      secret,
      name: '',
    })),
  );
}

export function assigned(text: string): Told[] {
  const found: Told[] = [];
  for (const { index, 0: all, 2: name = '', 3: secret = '' } of text.matchAll(parameter)) {
    if (isSecretParameter(name, secret))
      found.push({ start: index + all.length - secret.length, secret, name });
  }
  for (const { index, 0: all, 1: name = '', 3: secret = '' } of text.matchAll(assignment)) {
    if (isSecretField(name)) found.push({ start: index + all.length - secret.length, secret, name });
  }
  return found;
}

/** The length tells the code of a function from that of an error. */
const isSecretParameter = (name: string, value: string): boolean =>
  isSecretField(name) ||
  /^(?:x-(?:amz|goog)-(?:signature|credential)|signature)$/i.test(name) ||
  (name.toLowerCase() === 'code' && value.length >= 20);
