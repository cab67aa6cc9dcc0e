import type { Logger } from 'pino';
import type { DaemonOptions } from '../../src/config/options/daemon.js';
import type { BridgeSettings } from '../../src/docker/bridge.js';
import { DockerBridge } from '../../src/docker/docker-bridge.js';
import { engineControl } from '../../src/docker/engine-control.js';
import { thisHost } from '../../src/docker/engine-host.js';
import { SocketEngine } from '../../src/docker/engine-socket.js';

/** Wires what `--docker` asks for. A module of its own, so that a daemon without it need not load all this. */
export function dockerBridgeFor(options: DaemonOptions, log: Logger) {
  const input = {
    restart: options.docker === 'restart',
    configFile: options.dockerConfig,
    engine: new SocketEngine(options.dockerSocket),
    control: engineControl(options.dockerRestartCommand),
    host: thisHost,
    log,
  };
  return (settings: BridgeSettings) => new DockerBridge(input, settings);
}
