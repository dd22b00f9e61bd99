/** Who sent a request: the holder of an API key, or the subject of a token. */
export interface Principal {
  kind: 'key' | 'token';
  id: string;
  name: string;
}
