import { expect, test } from 'vitest';
import { Metrics } from './metrics.ts';

test('is written as Prometheus reads it', async () => {
  const metrics = new Metrics();
  const counters = metrics.counters('c_total', 'Counts.');
  counters.of({ a: 'x"\\\n' }).add();
  counters.of({ a: 'x"\\\n' }).add(2);
  const histogram = metrics.histograms('h', 'Spread.', [0.1, 1]).of({ b: 'y' });
  for (const value of [0.1, 0.5, 3]) histogram.observe(value);
  metrics.gauges('g', 'Now.', async () => [[{}, 5]]);
  metrics.gauges('none', 'Nothing.', () => []);
  expect(await metrics.text()).toBe(`# HELP c_total Counts.
# TYPE c_total counter
c_total{a="x\\"\\\\\\n"} 3
# HELP h Spread.
# TYPE h histogram
h_bucket{b="y",le="0.1"} 1
h_bucket{b="y",le="1"} 2
h_bucket{b="y",le="+Inf"} 3
h_sum{b="y"} 3.6
h_count{b="y"} 3
# HELP g Now.
# TYPE g gauge
g 5
`);
});

test('has a bound on series: further ones are counted together', async () => {
  const metrics = new Metrics();
  const counters = metrics.counters('c_total', 'Counts.');
  for (let i = 0; i < 3000; i++) counters.of({ i: String(i) }).add();
  const text = await metrics.text();
  expect(text.split('\n').length).toBeLessThan(2010);
  expect(text).toContain('c_total{i="other"} 1000');
});
