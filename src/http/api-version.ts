import { apiError } from '../errors.ts';

const firstDated = '2025-05-01';
const dated = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview)?$/;
/** The newest dated version known when this was written; later ones are served too, with a notice. */
const newestKnown = '2025-11-15-preview';

/** Dated preview versions opt in to every preview feature by themselves, as on the service. */
export const impliesPreview = (version: string): boolean => version.endsWith('-preview');

/** Checks the `api-version` of a native route. Returns a notice for versions newer than this server knows. */
export function checkApiVersion(version: unknown): { version: string; notice: string | null } {
  if (version === undefined || version === '') {
    throw apiError('BadRequest', 'Missing required query parameter: api-version', { target: 'api-version' });
  }
  if (version === 'v1') return { version, notice: null };
  if (typeof version === 'string' && dated.test(version) && version.slice(0, 10) >= firstDated) {
    const newer = version.slice(0, 10) > newestKnown.slice(0, 10);
    return {
      version,
      notice: newer ? `api-version ${version} is newer than this server; served as v1` : null,
    };
  }
  throw apiError(
    'UnsupportedApiVersionValue',
    `Unsupported api version '${String(version).slice(0, 64)}'. The supported versions are 'v1' and dated versions from '${firstDated}' on.`,
    { target: 'api-version' },
  );
}
