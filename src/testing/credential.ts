/** What `@azure/core-auth` calls a `TokenCredential`. */
export interface Credential {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number }>;
}

/** Gets tokens as `DefaultAzureCredential` would, from a server that needs no variables of this process. */
export const serverCredential = (identity: { endpoint: string; secret: string }): Credential => ({
  async getToken(scopes) {
    const [scope = ''] = [scopes].flat();
    const url = new URL(identity.endpoint);
    url.search = new URLSearchParams({ resource: scope, 'api-version': '2019-08-01' }).toString();
    const response = await fetch(url, { headers: { 'x-identity-header': identity.secret } });
    const answer = (await response.json()) as { access_token: string; expires_on: string; message?: string };
    if (!response.ok) throw new Error(`No token for '${scope}': ${answer.message}`);
    return { token: answer.access_token, expiresOnTimestamp: Number(answer.expires_on) * 1000 };
  },
});
