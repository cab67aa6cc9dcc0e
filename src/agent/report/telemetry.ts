import { version } from '../../config/version.js';
import type { Metric } from './exposition.js';
import { metricsOf, type NetworkSample } from './metrics.js';

/** Has the metrics: of the process from its start, of the network from when there is one. */
export class Telemetry {
  readonly #version = version();
  #network: () => NetworkSample | undefined = () => undefined;

  /** From now on the network is sampled so. */
  follow(network: () => NetworkSample): void {
    this.#network = network;
  }

  metrics(ready: boolean): readonly Metric[] {
    const { user, system } = process.cpuUsage();
    const sample = {
      version: this.#version,
      ready,
      process: {
        startedSecondsAgo: performance.now() / 1000,
        residentBytes: process.memoryUsage.rss(),
        cpuSeconds: (user + system) / 1e6,
      },
      network: this.#network(),
    };
    return metricsOf(sample, Date.now() / 1000);
  }
}
