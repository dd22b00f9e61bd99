import { ApiError, catalogue } from '../errors.ts';

/** The keys of a `Foundry-Features` header: comma-separated, spaces free, unknown ones ignored by whoever reads them. */
export function parseFeatures(header: string | string[] | undefined): ReadonlySet<string> {
  if (header === undefined) return none;
  return new Set(
    String(header)
      .split(',', 64)
      .map((key) => key.trim()),
  );
}

const none: ReadonlySet<string> = new Set();

/** Newer spellings of a gate that pass it as well. */
const alsoPasses: Record<string, string> = { 'Routines=V2Preview': 'Routines=V1Preview' };

/** Refuses a preview feature that the caller did not opt in to. The Python SDK branches on exactly this envelope. */
export function requireFeature(key: string, features: ReadonlySet<string>, what: string): void {
  const alias = alsoPasses[key];
  if (features.has(key) || (alias !== undefined && features.has(alias))) return;
  throw new ApiError(
    catalogue.preview_feature_required.status,
    'preview_feature_required',
    `${what} is in preview. This operation requires the following opt-in preview feature(s): ${key}. ` +
      `Include the 'Foundry-Features: ${key}' header in your request.`,
    { target: 'Foundry-Features' },
  );
}
