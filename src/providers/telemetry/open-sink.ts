import type { TelemetryConfig } from '../../config.ts';
import type { ModelGateway } from '../models/gateway.ts';
import type { ModelLog } from '../models/upstream.ts';
import type { TraceSink } from './sink.ts';

/** Where traces go; null where nothing says so. OpenTelemetry takes 150 ms and 30 MB, so it is loaded only for this. */
export async function openTraceSink(
  config: TelemetryConfig | null,
  models: Pick<ModelGateway, 'find'>,
  log: Pick<ModelLog, 'warn'>,
): Promise<TraceSink | null> {
  if (config === null) return null;
  if (config.protocol === 'grpc') {
    log.warn(
      {},
      'traces are not exported: OTLP over gRPC is not spoken here, only http/protobuf and http/json',
    );
    return null;
  }
  return (await import('./otlp.ts')).otlpSink(config, models, log);
}
