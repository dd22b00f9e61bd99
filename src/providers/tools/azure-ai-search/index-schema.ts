import { recordOf, recordsIn } from '../../../kit/record.ts';

/** What a search has to know of an index. */
export interface IndexSchema {
  /** The field with a document's key. */
  key: string | null;
  /** Fields that answers may show, vectors left out. */
  shown: string[];
  /** Vector fields whose queries the service makes vectors of itself. */
  vectorFields: string[];
  hasOtherVectors: boolean;
  semanticConfiguration: string | null;
}

/** Of the definition of an index, as the service tells it. */
export function readIndexSchema(definition: unknown): IndexSchema {
  const fields = recordsIn(recordOf(definition).fields).filter(({ name }) => typeof name === 'string');
  const isVector = ({ type }: Record<string, unknown>) => vectorType.test(String(type));
  const vectors = fields.filter((field) => isVector(field) && field.searchable !== false);
  const { vectorSearch, semantic } = recordOf(definition);
  const vectorising = new Set(
    recordsIn(recordOf(vectorSearch).profiles)
      .filter(({ vectorizer }) => typeof vectorizer === 'string')
      .map(({ name }) => name),
  );
  const vectorFields = vectors.filter(({ vectorSearchProfile }) => vectorising.has(vectorSearchProfile));
  return {
    key: names(fields.filter(({ key }) => key === true))[0] ?? null,
    shown: names(fields.filter((field) => field.retrievable !== false && !isVector(field))),
    vectorFields: names(vectorFields),
    hasOtherVectors: vectors.length > vectorFields.length,
    semanticConfiguration: semanticConfigurationOf(semantic),
  };
}

const vectorType = /^Collection\(Edm\.(?:Single|Half|Int16|SByte|Byte)\)$/;

const names = (fields: Record<string, unknown>[]): string[] => fields.map(({ name }) => String(name));

/** The index's default, else its only one. */
function semanticConfigurationOf(semantic: unknown): string | null {
  const { defaultConfiguration } = recordOf(semantic);
  if (typeof defaultConfiguration === 'string') return defaultConfiguration;
  const known = names(recordsIn(recordOf(semantic).configurations));
  return known.length === 1 ? (known[0] ?? null) : null;
}
