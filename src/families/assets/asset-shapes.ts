/** Shapes and rules that all versioned assets have in common. */

import Type, { type Static, type TSchema } from 'typebox';
import { apiError, invalidPayload } from '../../errors.ts';
import { AzurePage, azurePageQuery } from '../../kit/azure-page.ts';
import { mergePatch } from '../../kit/merge-patch.ts';
import { op } from '../../kit/operation.ts';
import { Maybe, OneOf } from '../../kit/schema.ts';

export type AssetKind = 'datasets' | 'indexes' | 'models';

const namePattern = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$';
const versionPattern = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$';

const mostTags = 64;

const tag = { type: 'string', maxLength: 1024 } as const;

/** In a merge patch null removes a tag. */
const Tags = Type.Unsafe<Record<string, string | null>>({
  type: 'object',
  maxProperties: mostTags,
  propertyNames: { minLength: 1, maxLength: 256 },
  additionalProperties: { ...tag, type: ['string', 'null'] },
  description: `Up to ${mostTags} string pairs; keys up to 256 characters, values up to 1024.`,
});

const Description = Type.String({ maxLength: 4096 });

export const changeable = { description: Maybe(Description), tags: Maybe(Tags) };

/** What a whole asset may carry when it is sent back as it came. The path decides. */
export const fromPath = {
  id: Maybe(Type.String()),
  name: Maybe(Type.String()),
  version: Maybe(Type.Union([Type.String(), Type.Number()])),
};

export const shown = {
  id: Type.String(),
  name: Type.String(),
  version: Type.String(),
  description: Type.Optional(Description),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
};

export const ByName = Type.Object({ name: Type.String({ minLength: 1 }) });
export const ByVersion = Type.Object({
  name: Type.String({ minLength: 1 }),
  version: Type.String({ minLength: 1 }),
});
/** Where something is made. */
export const ByNewVersion = Type.Object({
  name: Type.String({ pattern: namePattern }),
  version: Type.String({ pattern: versionPattern }),
});

/** The operations of all kinds of assets: `noun` is what one is called, `Shape` what it looks like. */
export const readOperations = <const T extends TSchema>(
  kind: AssetKind,
  noun: string,
  Shape: T,
  preview: { preview?: string } = {},
) => ({
  list: op({
    ...preview,
    method: 'GET',
    path: `/${kind}`,
    summary: `List the latest version of every ${noun}`,
    wire: 'foundry',
    query: Type.Object(azurePageQuery),
    result: AzurePage(Shape),
  }),
  listVersions: op({
    ...preview,
    method: 'GET',
    path: `/${kind}/{name}/versions`,
    summary: `List the versions of a ${noun}, the newest first`,
    wire: 'foundry',
    params: ByName,
    query: Type.Object(azurePageQuery),
    result: AzurePage(Shape),
  }),
  get: op({
    ...preview,
    method: 'GET',
    path: `/${kind}/{name}/versions/{version}`,
    summary: `Get a version of a ${noun}`,
    wire: 'foundry',
    params: ByVersion,
    result: Shape,
  }),
});

const BlobReference = Type.Object({
  blobUri: Type.String(),
  storageAccountArmId: Type.String(),
  credential: Type.Object({ type: OneOf('SAS'), sasUri: Type.String() }),
});
export type BlobReference = Static<typeof BlobReference>;

export const AssetCredential = Type.Object({ blobReference: BlobReference });

export const PendingUploadRequest = <const T extends string>(type: T, ...older: string[]) =>
  Type.Object({
    pendingUploadId: Maybe(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' })),
    connectionName: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
    pendingUploadType: OneOf(type, ...older),
  });

export const PendingUpload = <const T extends string>(type: T) =>
  Type.Object({
    blobReference: BlobReference,
    pendingUploadId: Type.String(),
    version: Type.String(),
    pendingUploadType: OneOf(type),
  });

/** An address of data. Clients send it with the signature they uploaded with. */
export const DataUri = Type.String({
  minLength: 1,
  maxLength: 8192,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  pattern: /^(?=[^\u0000-\u001f\u007f]*[a-zA-Z0-9_])[^\u0000-\u001f\u007f]*$/.source,
});

export interface AssetName {
  project: string;
  kind: AssetKind;
  name: string;
  version: string;
}

export const assetId = ({ project, kind, name, version }: AssetName): string =>
  `azureai://accounts/bloomery/projects/${project}/${kind}/${name}/versions/${version}`;

export const assetNotFound = (asset: AssetName) =>
  apiError('not_found', `Could not find asset with ID ${assetId(asset)}.`, { target: 'version' });

/** Some clients repeat the path in the body; saying something else there is a mistake. */
export function checkPath(asset: AssetName, body: Static<typeof FromPath>): void {
  if (body.name != null && body.name !== asset.name) throw otherThanPath('name');
  if (body.version != null && String(body.version) !== asset.version) throw otherThanPath('version');
}

const FromPath = Type.Object(fromPath);

const otherThanPath = (target: string) =>
  invalidPayload(target, `'${target}' is given by the path, and the body says another one.`);

export interface Changeable {
  description?: string;
  tags?: Record<string, string>;
}

export interface AssetPatch {
  description?: string | null;
  tags?: Record<string, string | null> | null;
}

/** What can be changed of every asset, by RFC 7396. */
export function changed<T extends Changeable>(content: T, patch: AssetPatch): T {
  const wanted = Object.fromEntries(
    Object.entries({ description: patch.description, tags: patch.tags }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const merged = mergePatch(content, wanted) as T;
  if (Object.keys(merged.tags ?? {}).length > mostTags) {
    throw invalidPayload('tags', `An asset has at most ${mostTags} tags.`);
  }
  return merged;
}
