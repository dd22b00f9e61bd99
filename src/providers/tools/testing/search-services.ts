import { type AnswerRequest, type HttpServer, httpServer, json } from './http-server.ts';

/** The key that the services take. */
export const searchKey = 'a-key-that-nobody-may-see';
/** May search an index but not read its definition. */
export const queryKey = 'a-key-for-queries-only';

export const handbook = {
  name: 'handbook',
  fields: [
    { name: 'chunk_id', type: 'Edm.String', key: true, retrievable: true },
    { name: 'title', type: 'Edm.String', searchable: true, retrievable: true },
    { name: 'chunk', type: 'Edm.String', searchable: true, retrievable: true },
    { name: 'url', type: 'Edm.String', retrievable: true },
    { name: 'pages', type: 'Edm.Int32', retrievable: true },
    { name: 'secret_note', type: 'Edm.String', retrievable: false },
    { name: 'text_vector', type: 'Collection(Edm.Single)', searchable: true, vectorSearchProfile: 'p' },
  ] as Record<string, unknown>[],
  vectorSearch: { profiles: [{ name: 'p', vectorizer: 'v' }], vectorizers: [{ name: 'v' }] } as object,
  semantic: { configurations: [{ name: 's' }] } as object,
};

export const handbookDocuments = [
  {
    chunk_id: 'a/1',
    title: 'Mental health',
    chunk: 'Mental health services are covered up to twenty visits a year.',
    url: 'https://intranet.example/health',
    pages: 3,
  },
  { chunk_id: 'b', title: '', chunk: 'The canteen serves soup and services cars.', url: 'b.pdf', pages: 1 },
];

const seattle = {
  name: 'Seattle weather',
  url: 'https://weather.example/seattle',
  snippet: 'Today Seattle has light rain.',
};
const harbour = { name: 'Harbour', url: 'https://harbour.example/', snippet: 'Seattle has a harbour.' };

export interface SearchServices extends HttpServer {
  /** Answers instead of the services, while it is set. */
  instead: AnswerRequest | null;
  index: typeof handbook;
  documents: Record<string, unknown>[];
}

/** One server that speaks as Azure AI Search (one index, `handbook`) and as the Bing APIs do (instance `mine`). */
export async function searchServices(): Promise<SearchServices> {
  const services: Omit<SearchServices, keyof HttpServer> = {
    instead: null,
    index: { ...handbook },
    documents: handbookDocuments,
  };
  const server = await httpServer((response, request) => {
    const url = new URL(request.url, 'http://localhost');
    const answer =
      services.instead ?? (url.pathname.startsWith('/v7.0/') ? asBing(url) : asAzure(url, services));
    answer(response, request);
  });
  return Object.assign(services, server);
}

const asBing =
  (url: URL): AnswerRequest =>
  (response, request) => {
    const refuse = (status: number, message: string) =>
      json({ _type: 'ErrorResponse', errors: [{ code: 'InvalidRequest', message }] }, status);
    const isCustom = url.pathname === '/v7.0/custom/search';
    const answer = (() => {
      if (request.headers['ocp-apim-subscription-key'] !== searchKey) {
        return json(
          { error: { code: '401', message: 'Access denied due to invalid subscription key.' } },
          401,
        );
      }
      if (isCustom && url.searchParams.get('customconfig') !== 'mine') {
        return refuse(400, 'Parameter has invalid value: customconfig.');
      }
      if (!url.searchParams.get('q')) return refuse(400, 'Required parameter is missing: q.');
      const value = (isCustom ? [harbour] : [seattle, harbour]).slice(
        0,
        Number(url.searchParams.get('count')),
      );
      return json({ _type: 'SearchResponse', webPages: { totalEstimatedMatches: value.length, value } });
    })();
    answer(response, request);
  };

const asAzure =
  (url: URL, { index, documents }: Pick<SearchServices, 'index' | 'documents'>): AnswerRequest =>
  (response, request) => {
    const refuse = (status: number, message: string) => json({ error: { code: '', message } }, status);
    const key = request.headers['api-key'];
    const answer = (() => {
      if (key !== searchKey && key !== queryKey) return refuse(401, `The key ${key} is not one.`);
      if (url.searchParams.get('api-version') !== '2024-07-01') return refuse(400, 'Invalid api-version.');
      if (request.method === 'GET' && url.pathname === `/indexes/${index.name}`) {
        return key === searchKey ? json(index) : refuse(403, 'Admin key required.');
      }
      if (request.method !== 'POST' || url.pathname !== `/indexes/${index.name}/docs/search`) {
        return refuse(404, `There is no ${url.pathname}.`);
      }
      const body = JSON.parse(request.body.toString());
      const query = String(body.search ?? body.vectorQueries?.[0]?.text ?? '');
      const words = query.toLowerCase().match(/\p{L}+/gu) ?? [];
      const scored = documents
        .map((document) => {
          const text = JSON.stringify(document).toLowerCase();
          return { document, score: words.filter((word) => text.includes(word)).length };
        })
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score);
      const value = scored
        .slice(0, body.top)
        .map(({ document, score }) => ({ '@search.score': score, ...document }));
      return json({ value });
    })();
    answer(response, request);
  };
