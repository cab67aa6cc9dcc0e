/** Metrics in Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;

export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  /** A sentence without its full stop. */
  readonly help: string;
  /** None: the metric is left out. */
  readonly samples: readonly (readonly [labels: Labels, value: number | bigint])[];
}

export function exposition(metrics: readonly Metric[]): string {
  return metrics.flatMap(lines).join('');
}

function lines({ name, type, help, samples }: Metric): string[] {
  if (samples.length === 0) return [];
  const head = [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`,
    `# TYPE ${name} ${type}\n`,
  ];
  return [...head, ...samples.map(([labels, value]) => `${name}${inBraces(labels)} ${value}\n`)];
}

function inBraces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
