#!/usr/bin/env node
/** The daemon: reads its options, wires the real etcd and kernel to the agent, and is the only place that exits. */
import { setFlagsFromString } from 'node:v8';
import type { Logger } from 'pino';
import { createLog } from '../src/agent/report/log.js';
import { notifySystemd, statusOf } from '../src/agent/report/notify.js';
import { pingWatchdog } from '../src/agent/report/watchdog.js';
import type { DaemonOptions } from '../src/config/options/daemon.js';
import { etcdFlags } from '../src/config/options/etcd.js';
import { parseDaemonOptions } from '../src/config/options/parse.js';
import { version } from '../src/config/version.js';
import { LodenError } from '../src/errors.js';
import { etcdOptions } from '../src/lease/etcd-options.js';
import { errorText } from './error-text.js';
import { exitCodeOf } from './exit-code.js';

/**
 * What is made while 10,000 leases are read lives on, so a larger space for young objects only means that more is copied
 * and more memory touched: 150 MB at most instead of 164, and no slower.
 */
setFlagsFromString('--semi-space-growth-factor=1');

async function main(): Promise<number> {
  const command = parseDaemonOptions(process.argv.slice(2), process.env);
  switch (command.kind) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
    case 'run':
      return run(command.options, command.warnings);
  }
}

async function run(options: DaemonOptions, warnings: readonly string[]): Promise<number> {
  const { logFormat: format, logLevel: level } = options;
  const log = createLog({ format, level, colour: process.stderr.isTTY && !process.env.NO_COLOR }, (line) =>
    process.stderr.write(line),
  );
  // Whoever read our log is gone, a journald that was restarted: the lease has to be kept all the same.
  process.stderr.on('error', () => undefined);
  for (const warning of warnings) log.warn(warning);
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort(name));
  const notify = notifySystemd(process.env, log);
  pingWatchdog(process.env, notify, stop.signal);

  // Loaded here, as a question for the version or the help should not wait for it; and this first, as packets wait for it.
  const { kernel, heldPath } = await resumed(options, log, stop.signal);
  const [{ runAgent }, { EtcdStore }, { HostFirewall }] = await Promise.all([
    import('../src/agent/agent.js'),
    import('../src/lease/etcd-store.js'),
    import('../src/firewall/host/host-firewall.js'),
  ]);
  const access = await etcdOptions(etcdFlags(options));
  for (const warning of access.warnings) log.warn(warning);
  const store = new EtcdStore(access);
  const firewall = new HostFirewall();
  try {
    log.info({ version: version() }, 'lodend starts');
    const docker = await dockerBridge(options, log);
    await runAgent(
      { options, store, kernel, firewall, heldPath, log, notify, dockerBridge: docker },
      stop.signal,
    );
    log.info({ signal: stop.signal.reason }, 'stopping; routes, devices and the lease stay');
    return 0;
  } catch (error) {
    const explained = error instanceof LodenError ? errorText(error) : undefined;
    log.error(explained ?? { err: error }, 'lodend ends');
    notify(statusOf(explained ?? String(error)));
    return exitCodeOf(error);
  } finally {
    heldPath.release();
    store.close();
    kernel.close();
  }
}

/** The kernel, and the packet path that there was when a daemon last ran, if the backend has one. */
async function resumed(options: DaemonOptions, log: Logger, signal: AbortSignal) {
  const [{ NetlinkKernel }, { UdpProxy }, { HeldPath }, { resumePacketPath }] = await Promise.all([
    import('../src/kernel/netlink/netlink-kernel.js'),
    import('../src/backend/udp/proxy.js'),
    import('../src/agent/packets/held-path.js'),
    import('../src/agent/packets/resume-packet-path.js'),
  ]);
  const kernel = new NetlinkKernel();
  const pathLog = log.child({ component: 'path' });
  const paths = new UdpProxy({ acceptAny: options.udpAcceptAny, queues: options.udpQueues });
  const heldPath = new HeldPath(paths, pathLog);
  await resumePacketPath({ options, kernel, heldPath, log: pathLog, signal });
  return { kernel, heldPath };
}

async function dockerBridge(options: DaemonOptions, log: Logger) {
  if (options.docker === 'off') return undefined;
  const { dockerBridgeFor } = await import('./lodend/docker.js');
  return dockerBridgeFor(options, log.child({ component: 'docker' }));
}

main().then(
  (code) => {
    // Exits also while a request to etcd hangs: nothing that is worth waiting for is under way.
    process.exit(code);
  },
  (error: unknown) => {
    process.stderr.write(
      `lodend: ${error instanceof LodenError ? errorText(error) : (error as Error).stack}\n`,
    );
    process.exit(exitCodeOf(error));
  },
);
