import Type, { type Static } from 'typebox';

/** The first entry says what the archive is, the last one what must be in it; rows and contents stand between them. */
export const headName = 'archive.json';
export const manifestName = 'manifest.json';
export const formatVersion = 2;
/** Of an archive without secrets, which older servers read as well. */
export const plainVersion = 1;

export const Head = Type.Object({
  format: Type.Literal('bloomery-project'),
  version: Type.Integer(),
  project: Type.String({ minLength: 1, maxLength: 64 }),
  created_at: Type.Integer(),
  /** Where secrets are in it: what they are sealed with besides the passphrase, and something to know that by. */
  secrets: Type.Optional(
    Type.Object({
      salt: Type.String({ minLength: 16, maxLength: 64 }),
      check: Type.String({ maxLength: 256 }),
    }),
  ),
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
  /** Where secrets are in the archive: nobody without the passphrase can send them elsewhere by changing a row. */
  mac: Type.Optional(Type.String({ maxLength: 64 })),
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
