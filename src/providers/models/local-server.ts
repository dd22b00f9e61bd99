export interface LocalServer {
  name: string;
  baseUrl: string;
}

/** What a deployment is unless something better is known. */
export const discovered = {
  apiKey: null,
  apiVersion: null,
  timeoutSeconds: 120,
  modelVersion: null,
  modelPublisher: null,
};

/** Whether `url` leads back to this process, or to another server of this kind on the same machine. */
export function isOurselves(url: string, ownPort: number | undefined): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/.test(parsed.hostname))
    return false;
  const port = Number(parsed.port || (parsed.protocol === 'https:' ? 443 : 80));
  return port === ownPort || parsed.pathname.startsWith('/api/projects/');
}
