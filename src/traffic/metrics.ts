/** Figures in Prometheus' text form. Labels come from code and configuration, never from what callers send. */

type Labels = Readonly<Record<string, string>>;

/** Series of one metric, beyond which further ones are counted together: a bound, not a budget. */
const mostSeries = 2000;

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const written = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
const line = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${Number.isFinite(value) ? value : '+Inf'}`;

interface Metric {
  lines(): string[] | Promise<string[]>;
}

/** A number that only grows. */
export interface Counter {
  add(units?: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

export type GaugeValues = readonly (readonly [Labels, number])[];

/** One value of each, by its labels. Whoever counts often keeps what `of` answers. */
export interface Counters {
  of(labels: Labels): Counter;
}
export interface Histograms {
  of(labels: Labels): Histogram;
}

export class Metrics {
  readonly #metrics: { name: string; help: string; type: string; metric: Metric }[] = [];

  counters(name: string, help: string): Counters {
    const series = new Series((labels) => new Count(labels));
    this.#add(name, help, 'counter', {
      lines: () => series.all().map((count) => line(name, count.labels, count.value)),
    });
    return series;
  }

  histograms(name: string, help: string, bounds: readonly number[]): Histograms {
    const series = new Series((labels) => new Distribution(labels, bounds));
    this.#add(name, help, 'histogram', { lines: () => series.all().flatMap((each) => each.lines(name)) });
    return series;
  }

  /** What is so at the moment, asked for when the figures are. */
  gauges(
    name: string,
    help: string,
    values: () => GaugeValues | Promise<GaugeValues>,
    type: 'gauge' | 'counter' = 'gauge',
  ): void {
    this.#add(name, help, type, {
      lines: async () => (await values()).map(([labels, value]) => line(name, written(labels), value)),
    });
  }

  #add(name: string, help: string, type: string, metric: Metric): void {
    this.#metrics.push({ name, help, type, metric });
  }

  async text(): Promise<string> {
    const parts: string[] = [];
    for (const { name, help, type, metric } of this.#metrics) {
      const lines = await metric.lines();
      if (lines.length > 0) parts.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines);
    }
    return `${parts.join('\n')}\n`;
  }
}

class Series<T> {
  readonly #make: (labels: string) => T;
  readonly #byLabels = new Map<string, T>();

  constructor(make: (labels: string) => T) {
    this.#make = make;
  }

  of(labels: Labels): T {
    const wanted = written(labels);
    const isRoom = this.#byLabels.size < mostSeries || this.#byLabels.has(wanted);
    const key = isRoom ? wanted : written(othersOf(labels));
    let known = this.#byLabels.get(key);
    if (known === undefined) {
      known = this.#make(key);
      this.#byLabels.set(key, known);
    }
    return known;
  }

  all(): T[] {
    return [...this.#byLabels.values()];
  }
}

const othersOf = (labels: Labels): Labels =>
  Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));

class Count implements Counter {
  readonly labels: string;
  value = 0;

  constructor(labels: string) {
    this.labels = labels;
  }

  add(units = 1): void {
    this.value += units;
  }
}

class Distribution implements Histogram {
  readonly #labels: string;
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: string, bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    this.#sum += value;
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  lines(name: string): string[] {
    const labels = this.#labels === '' ? '' : `${this.#labels},`;
    let below = 0;
    const buckets = [...this.#bounds, Number.POSITIVE_INFINITY].map((bound, at) => {
      below += this.#counts[at] ?? 0;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
      return line(`${name}_bucket`, `${labels}le="${le}"`, below);
    });
    return [
      ...buckets,
      line(`${name}_sum`, this.#labels, this.#sum),
      line(`${name}_count`, this.#labels, below),
    ];
  }
}
