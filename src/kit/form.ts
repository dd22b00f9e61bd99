import { openAsBlob } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Type, { type Static, type TObject, type TSchema } from 'typebox';
import { invalidPayload } from '../errors.ts';
import { type MultipartField, type MultipartFile, readMultipart } from './multipart.ts';
import type { MultipartBody } from './operation.ts';
import { validator } from './validation.ts';

/** A file of a form; among the values its filename stands for it. */
export const FormFile = Type.Unsafe<string>({
  type: 'string',
  contentMediaType: 'application/octet-stream',
});

export interface Form<T> {
  /** The fields in the types of their schema. */
  values: T;
  /** All of the form as it came. Its files are on disk, not in memory. */
  data: FormData;
}

export interface FormBounds {
  /** Bytes of each field's value. */
  fieldBytes: number;
  files: number;
}

export interface StreamedFormBounds extends FormBounds {
  /** Bytes of each file. */
  fileBytes: number;
}

const mostFields = 100;

/** A form whose files went elsewhere while it was read. */
export interface StreamedForm<T, Kept> {
  values: T;
  fields: MultipartField[];
  files: KeptFile<Kept>[];
}

interface KeptFile<Kept> {
  name: string;
  filename: string;
  kept: Kept;
}

/**
 * A reader of the forms that `schema` describes: `a[]` repeated makes an array, `a[b]` an object. Each file is given
 * to `keep` as it comes; what that has kept is the caller's to let go of, also where the form turns out to be wrong.
 */
export function streamedFormReader<T extends TObject>(schema: T, bounds: StreamedFormBounds) {
  const check = validator(schema, 'body');
  const fileNames = Object.entries(schema.properties)
    .filter(([, property]) => variantsOf(property).some(isFile))
    .flatMap(([name]) => [name, `${name}[]`]);

  return async <Kept>(
    body: MultipartBody,
    keep: (file: MultipartFile) => Promise<Kept>,
  ): Promise<StreamedForm<Static<T>, Kept>> => {
    const files: KeptFile<Kept>[] = [];
    const fields = await readMultipart(body, {
      bounds: { ...bounds, fields: mostFields },
      fileNames,
      async onFile(file) {
        const { name, filename } = file;
        if (!fileNames.includes(name)) throw invalidPayload(name, `'${name}' takes no file.`);
        files.push({ name, filename, kept: await keep(file) });
      },
    });
    const named = files.map(({ name, filename }) => ({ name, value: filename }));
    const values = formValues([...fields, ...named], schema);
    check(values);
    return { values: values as Static<T>, fields, files };
  };
}

/** The same, but the files are kept on disk until `use` has settled. They are bounded by the limit on the body only. */
export function formReader<T extends TObject>(schema: T, bounds: FormBounds) {
  const read = streamedFormReader(schema, { ...bounds, fileBytes: Number.POSITIVE_INFINITY });

  return async <R>(body: MultipartBody, use: (form: Form<Static<T>>) => Promise<R>): Promise<R> => {
    const folder = await mkdtemp(join(tmpdir(), 'bloomery-form-'));
    try {
      let count = 0;
      const { values, fields, files } = await read(body, (file) =>
        store(file, join(folder, String(count++))),
      );
      const data = new FormData();
      for (const { name, value } of fields) data.append(name, value);
      for (const { name, filename, kept } of files) data.append(name, kept, filename);
      return await use({ values, data });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

async function store({ bytes, contentType }: MultipartFile, path: string): Promise<Blob> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  return openAsBlob(path, { type: contentType });
}

type Values = Record<string, unknown>;

/** The fields of a form as one object, each text as the value that its schema wants. */
export function formValues(fields: MultipartField[], schema: TObject): Values {
  const values = emptyValues();
  for (const { name, value } of fields) {
    const [, first = name, rest = ''] = /^([^[\]]+)((?:\[[^[\]]*\]){0,3})$/.exec(name) ?? [];
    const path = [first, ...rest.split(/[[\]]+/).filter((segment) => segment !== '')];
    let at = values;
    let shape: TSchema | undefined = schema;
    for (const segment of path.slice(0, -1)) {
      shape = propertyOf(shape, segment);
      const inner = at[segment] ?? emptyValues();
      if (typeof inner !== 'object' || Array.isArray(inner)) throw givenTwice(name);
      at[segment] = inner;
      at = inner as Values;
    }
    const last = path.at(-1) ?? name;
    put(at, last, value, propertyOf(shape, last), { name, isList: rest.endsWith('[]') });
  }
  return values;
}

function put(
  at: Values,
  key: string,
  text: string,
  shape: TSchema | undefined,
  { name, isList }: { name: string; isList: boolean },
): void {
  const variants = variantsOf(shape);
  const list = variants.find((variant) => typeOf(variant) === 'array');
  const known = at[key];
  const onlyLists = variants.every((variant) => ['array', 'null'].includes(typeOf(variant)));
  if (isList || (list !== undefined && (onlyLists || known !== undefined))) {
    const item = typed(text, variantsOf(itemsOf(list)));
    const before = known === undefined || Array.isArray(known) ? (known ?? []) : [known];
    at[key] = [...before, item];
  } else if (known !== undefined) {
    throw givenTwice(name);
  } else {
    at[key] = typed(text, variants);
  }
}

function typed(text: string, variants: TSchema[]): unknown {
  const types = variants.map(typeOf);
  if (types.includes('string') && !types.includes('object')) return text;
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  if (types.some((type) => /^(integer|number)$/.test(type)) && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text);
  if (!types.includes('object') || !text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const emptyValues = (): Values => Object.create(null) as Values;

const typeOf = (schema: TSchema): string => String((schema as { type?: unknown }).type);

const isFile = (schema: TSchema): boolean =>
  'contentMediaType' in schema || variantsOf(itemsOf(schema)).some(isFile);

const itemsOf = (schema: TSchema | undefined) => (schema as { items?: TSchema } | undefined)?.items;

/** The schema itself, or what it is a union of. */
function variantsOf(schema: TSchema | undefined): TSchema[] {
  if (schema === undefined) return [];
  const { anyOf } = schema as { anyOf?: TSchema[] };
  return anyOf === undefined ? [schema] : anyOf.flatMap(variantsOf);
}

function propertyOf(schema: TSchema | undefined, name: string): TSchema | undefined {
  for (const variant of variantsOf(schema)) {
    const { properties } = variant as { properties?: Record<string, TSchema> };
    if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  }
  return undefined;
}

const givenTwice = (name: string) => invalidPayload(name, `'${name}' is given more than once.`);
