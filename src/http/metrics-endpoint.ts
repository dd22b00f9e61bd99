import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '../traffic/metrics.ts';
import { authenticate, type Credentials } from './authentication.ts';
import { type Authorization, askedOf } from './authorization.ts';
import { sendError } from './errors.ts';
import { isLoopback } from './listener.ts';

export const metricsPath = '/metrics';

const asked = askedOf(
  { wire: 'admin', method: 'GET', path: metricsPath, summary: 'Read the figures of the server' },
  'admin',
);

/** The figures of the server, as Prometheus reads them: to loopback clients, and to those whose role reads them. */
export function installMetricsEndpoint(
  app: FastifyInstance,
  metrics: Metrics,
  credentials: Credentials,
  authorization: Authorization,
): void {
  app.get(metricsPath, { config: { isPublic: true } }, async (request, reply) => {
    try {
      if (!isNear(request)) authorization.require(await authenticate(request, credentials), asked, null);
      const text = await metrics.text();
      return reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(text);
    } catch (error) {
      sendError(error, request, reply);
      return reply;
    }
  });
}

/** A proxy on this machine brings callers from anywhere: it says so, or the name that they asked for does. */
const isNear = ({ socket, headers }: FastifyRequest): boolean =>
  isLoopback(socket.remoteAddress) &&
  loopbackHost.test(headers.host ?? '') &&
  !Object.keys(headers).some((name) => proxyHeader.test(name));

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const proxyHeader = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;
