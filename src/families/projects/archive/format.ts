import Type, { type Static } from 'typebox';

/** The first entry says what the archive is, the last one what must be in it; rows and contents stand between them. */
export const headName = 'archive.json';
export const manifestName = 'manifest.json';
export const formatVersion = 1;

export const Head = Type.Object({
  format: Type.Literal('bloomery-project'),
  version: Type.Integer(),
  project: Type.String({ minLength: 1, maxLength: 64 }),
  created_at: Type.Integer(),
});
export type Head = Static<typeof Head>;

export const Manifest = Type.Object({
  entries: Type.Array(
    Type.Object({
      name: Type.String(),
      bytes: Type.Integer(),
      sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    }),
  ),
});
export type Manifest = Static<typeof Manifest>;

/** Rows of one table: objects, one on each line. */
export const rowsName = (table: string, part: number): string =>
  `rows/${table}/${String(part).padStart(6, '0')}.ndjson`;
export const tableOf = (name: string): string | undefined =>
  /^rows\/([a-z_]+)\/\d{6,}\.ndjson$/.exec(name)?.[1];

export const contentName = (folder: string, name: string): string => `${folder}/${name}`;
export const contentOf = (name: string): { folder: string; name: string } | undefined => {
  const [, folder, rest] = /^([a-z]+)\/([A-Za-z0-9_.-]{1,90})$/.exec(name) ?? [];
  return folder === undefined || rest === undefined ? undefined : { folder, name: rest };
};
