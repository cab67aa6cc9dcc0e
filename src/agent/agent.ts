/**
 * The daemon's life.
 *
 *   wait for etcd and the config ─▶ survey the host ─▶ lease a subnet ─▶ write subnet.env ─▶ program the kernel ─▶ ready
 *
 * and from then on all at once, until the signal: follow the leases, keep the kernel as they say, keep the firewall's
 * rules, keep our own lease, see that Docker follows. Stopping leaves kernel, rules and lease as they are.
 */
import type { Logger } from 'pino';
import type { DaemonOptions } from '../config/options/daemon.js';
import { writeSubnetFile } from '../config/subnet-file.js';
import { type BridgeSettings, bridgeAddress } from '../docker/bridge.js';
import type { DockerBridge } from '../docker/docker-bridge.js';
import type { Firewall } from '../firewall/firewall.js';
import type { Kernel } from '../kernel/kernel.js';
import { type Acquired, acquire } from '../lease/acquire.js';
import { systemClock } from '../lease/clock.js';
import { configPath } from '../lease/codec.js';
import type { LeaseStore } from '../lease/store.js';
import { formatPrefix, type Prefix } from '../net/prefix.js';
import { serveHealth } from './health.js';
import type { HeldPath } from './held-path.js';
import { loadIdentity } from './identity.js';
import { Membership } from './membership.js';
import { type Notify, statusOf } from './notify.js';
import { persist } from './persist.js';
import { leaseAttributes, type Survey, surveyHost } from './survey.js';
import { together } from './together.js';

export interface AgentPorts {
  readonly options: DaemonOptions;
  readonly store: LeaseStore;
  readonly kernel: Kernel;
  readonly firewall: Firewall;
  readonly heldPath: HeldPath;
  readonly log: Logger;
  readonly notify: Notify;
  /** Undefined: Docker is none of our business. */
  readonly dockerBridge?: ((settings: BridgeSettings) => DockerBridge) | undefined;
}

/**
 * Settles when the signal is aborted. Throws ConfigError, OptionError, UplinkError or FileError when this host cannot
 * begin, and SubnetLostError when another host got its subnet.
 */
export async function runAgent(ports: AgentPorts, signal: AbortSignal): Promise<void> {
  const { options, log, notify } = ports;
  const health = await serveHealth(options.healthzIp, options.healthzPort);
  const tell = (reason: string) => {
    health.set({ ready: false, reason });
    notify(statusOf(reason));
  };
  signal.addEventListener('abort', () => notify('STOPPING=1\nSTATUS=stopping'), { once: true });
  try {
    const identity = await loadIdentity(options.stateDir);
    const survey = await surveyWhenConfigured(ports, tell, signal);
    const acquired = await acquireLease(ports, survey, identity, tell, signal);
    const { subnet } = acquired.lease;
    const docker = ports.dockerBridge?.(bridgeSettings(ports, survey, subnet));
    // First, as a Docker that waits for the subnet file reads daemon.json as soon as that is there.
    await docker?.write(signal);
    await announceSubnet(ports, survey, subnet);
    tell('programming the kernel');
    const membership = new Membership({ ...ports, survey, acquired });
    const onReady = () => {
      health.set({ ready: true });
      notify(`READY=1\n${statusOf(`${formatPrefix(subnet)} by ${survey.backend.type}`)}`);
      log.info({ subnet: formatPrefix(subnet), backend: survey.backend.type }, 'ready');
    };
    await together(signal, [
      (until) => membership.run(until, onReady),
      async (until) => docker?.settle(until),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    health.close();
  }
}

/** Is told what is waited for, and why. */
type Tell = (reason: string) => void;

async function surveyWhenConfigured(ports: AgentPorts, tell: Tell, signal: AbortSignal): Promise<Survey> {
  const { options, store, kernel, log } = ports;
  const configSource = `etcd key ${configPath(options.etcdPrefix)}`;
  const configText = await persist(() => store.readConfig(signal), {
    waitingFor: 'etcd and the network config',
    absent: `there is no ${configSource} yet; write it with: loden config set FILE`,
    tell,
    log,
    signal,
  });
  const { subnetFile } = options;
  const survey = await surveyHost({ configText, configSource, request: options, subnetFile, kernel, signal });
  for (const warning of survey.warnings) log.warn(warning);
  log.info(survey.uplinkChoice);
  return survey;
}

function acquireLease(
  { options, store, log }: AgentPorts,
  survey: Survey,
  identity: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<Acquired> {
  const attempt = () =>
    acquire({
      ...survey,
      store,
      publicIp: survey.uplink.publicIp,
      attributesFor: (subnet) => leaseAttributes(survey, subnet, identity),
      ttlSeconds: options.subnetLeaseTtlSeconds,
      random: Math.random,
      clock: systemClock,
      log: log.child({ component: 'lease' }),
      signal,
    });
  return persist(attempt, { waitingFor: 'a lease', absent: '', tell, log, signal });
}

async function announceSubnet({ options, log }: AgentPorts, survey: Survey, subnet: Prefix): Promise<void> {
  await writeSubnetFile(options.subnetFile, {
    network: survey.network.network,
    subnet,
    mtu: containerMtu(survey),
    ipMasq: options.ipMasq,
  });
  log.info({ path: options.subnetFile, subnet: formatPrefix(subnet) }, 'wrote subnet file');
}

/** One of Docker and us masquerades. */
function bridgeSettings({ options }: AgentPorts, survey: Survey, subnet: Prefix): BridgeSettings {
  return { bip: bridgeAddress(subnet), mtu: containerMtu(survey), ipMasq: !options.ipMasq };
}

function containerMtu({ backend, backendOptions, uplink }: Survey): number {
  return backend.mtu(backendOptions, uplink);
}
