import { type AnswerRequest, type HttpServer, httpServer, json } from './http-server.ts';

export interface RetrievalHit {
  webUrl: string;
  extracts?: { text: string; relevanceScore?: number }[];
  resourceType?: string;
  resourceMetadata?: Record<string, string>;
}

/** The Retrieval API of Microsoft Graph, as its reference has it, for callers with this token. */
export const graphService = (token: string, hits: RetrievalHit[]): Promise<HttpServer> =>
  httpServer((response, request) => answer(token, hits, request)(response, request));

function answer(token: string, hits: RetrievalHit[], request: Parameters<AnswerRequest>[1]): AnswerRequest {
  if (request.headers.authorization !== `Bearer ${token}`) {
    const message = 'Access token is empty.';
    return json({ error: { code: 'InvalidAuthenticationToken', message } }, 401);
  }
  if (request.method !== 'POST' || request.url !== '/copilot/retrieval') return json({}, 404);
  const { queryString, dataSource } = JSON.parse(String(request.body));
  if (!queryString || dataSource !== 'sharePoint') return json({ error: { message: 'Bad request' } }, 400);
  return json({ retrievalHits: hits });
}
