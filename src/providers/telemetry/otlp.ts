import type { TelemetryConfig } from '../../config.ts';
import type { ModelGateway } from '../models/gateway.ts';
import type { ModelLog } from '../models/upstream.ts';
import { exportQueue } from './export-queue.ts';
import type { TraceSink } from './sink.ts';
import { responseSpans, type Span, type SpanSource } from './spans.ts';
import { otlpTransport } from './transport.ts';

/** Sends traces to an OTLP receiver. */
export function otlpSink(
  config: TelemetryConfig,
  models: Pick<ModelGateway, 'find'>,
  log: Pick<ModelLog, 'warn'>,
): TraceSink {
  const queue = exportQueue(otlpTransport(config), config, log);
  const source: SpanSource = {
    resource: resourceOf(config.resource),
    scope: { name: 'bloomery' },
    deployment: (name) => models.find(name)?.deployment,
    content: config.content,
  };
  return {
    ended(response) {
      try {
        queue.add(responseSpans(response, source));
      } catch (error) {
        log.warn({ err: error, response: response.id }, 'a trace could not be told');
      }
    },
    close: () => queue.close(),
  };
}

function resourceOf(attributes: TelemetryConfig['resource']): Span['resource'] {
  const resource: Span['resource'] = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
