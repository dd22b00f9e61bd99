/** An address without the signature that clients often leave at its end: it is a secret, and over soon. */
export function withoutSignature(uri: string): string {
  const [address = '', query = ''] = uri.split('?', 2);
  return new URLSearchParams(query).has('sig') ? address : uri;
}
