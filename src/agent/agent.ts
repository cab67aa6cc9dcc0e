/**
 * The daemon's life, or lives.
 *
 *   etcd's config, or the last known ─▶ survey the host ─▶ lease a subnet, or go on with ours ─▶ a life ─┐
 *                                            ▲                                                           │
 *                                            └──────── another uplink, another config: a next life ──────┘
 *
 * A life writes subnet.env, programs the kernel, is ready, and from then on all at once: follows the leases, keeps the
 * kernel as they say, keeps the firewall's rules, keeps our own lease, sees that Docker follows, watches the uplink. The
 * end of a life, and of the last, leaves kernel, rules and lease as they are.
 */
import type { Logger } from 'pino';
import type { DaemonOptions } from '../config/options/daemon.js';
import type { BridgeSettings } from '../docker/bridge.js';
import type { DockerBridge } from '../docker/docker-bridge.js';
import { FileError, SubnetLostError, TwinHostError } from '../errors.js';
import type { Firewall } from '../firewall/firewall.js';
import type { Kernel } from '../kernel/kernel.js';
import { configPath } from '../lease/codec.js';
import type { LeaseStore } from '../lease/store.js';
import { formatPrefix } from '../net/prefix.js';
import { acquireGround, type BeginningInput, begin } from './beginning.js';
import { Contact } from './contact.js';
import type { Ground } from './ground.js';
import { currentBoot } from './identity/boot.js';
import { knownIdentity, loadIdentity, substituteIdentity } from './identity/identity.js';
import { Life } from './life.js';
import type { HeldPath } from './packets/held-path.js';
import { type Health, serveHealth } from './report/health.js';
import type { NetworkSample } from './report/metrics.js';
import { type Notify, statusOf } from './report/notify.js';
import { Telemetry } from './report/telemetry.js';
import { stateReader } from './state/state-check.js';
import { StateKeeper } from './state/state-keeper.js';
import type { Survey } from './survey.js';

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
  const telemetry = new Telemetry();
  const health = await serveHealth(options.healthzIp, options.healthzPort, (ready) =>
    telemetry.metrics(ready),
  );
  const keeper = new StateKeeper(options.stateDir, log.child({ component: 'state' }));
  const tell = (reason: string) => {
    health.set({ ready: false, reason });
    notify(statusOf(reason));
  };
  signal.addEventListener('abort', () => notify('STOPPING=1\nSTATUS=stopping'), { once: true });
  try {
    const marks = { identity: await identityOf(ports), boot: await currentBoot() };
    const configSource = `etcd key ${configPath(options.etcdPrefix)}`;
    const readState = stateReader({ ...options, identity: marks.identity }, log);
    await liveOn({ ...ports, marks, readState, configSource, tell }, { health, telemetry, keeper }, signal);
  } catch (error) {
    // Known from now on to be another's: also a start without etcd must not go on with it.
    if (error instanceof SubnetLostError || error instanceof TwinHostError) await keeper.forget();
    if (!signal.aborted) throw error;
  } finally {
    await keeper.close();
    health.close();
  }
}

/** Where others learn how we are, and the next start what we knew. */
interface Outlets {
  readonly health: Health;
  readonly telemetry: Telemetry;
  readonly keeper: StateKeeper;
}

async function liveOn(
  input: BeginningInput,
  { health, telemetry, keeper }: Outlets,
  signal: AbortSignal,
): Promise<void> {
  const { log, notify, tell } = input;
  let { configText, survey, ground, silence } = await begin(input, signal);
  tell('programming the kernel');
  let isReady = false;
  const contact = new Contact(log, () => tellStatus(), silence);
  const tellStatus = () => {
    if (isReady) notify(statusOf(standing(survey, ground, contact)));
  };
  const onReady = () => {
    const subnet = formatPrefix(ground.lease.subnet);
    isReady = true;
    health.set({ ready: true });
    notify(`READY=1\n${statusOf(standing(survey, ground, contact))}`);
    log.info({ subnet, backend: survey.backend.type }, 'ready');
  };
  const onBegin = (sample: () => NetworkSample) => telemetry.follow(sample);
  const told = { ...input, contact, keeper, onReady, onBegin };
  for (let continues = false; ; continues = true) {
    const life = new Life({ ...told, configText, survey, ground, continues });
    const next = await life.run(signal);
    if (!next) return;
    if (next.survey.uplink.address !== survey.uplink.address) input.store.redial();
    ({ configText, survey } = next);
    ground = next.ground ?? (await acquireGround(input, survey, signal));
  }
}

function standing({ backend }: Survey, { lease }: Ground, { silence }: Contact): string {
  const running = `${formatPrefix(lease.subnet)} by ${backend.type}`;
  return silence ? `${running}; without etcd, on what was last known: ${silence.reason}` : running;
}

async function identityOf({ options, log }: AgentPorts): Promise<string> {
  try {
    return await loadIdentity(options.stateDir);
  } catch (error) {
    // One that is there and cannot be read is for a person to mend.
    if (!(error instanceof FileError) || (await knownIdentity(options.stateDir)) !== undefined) throw error;
    log.warn({ error: error.message }, 'this host cannot keep an identity, going by its machine-id');
    return substituteIdentity();
  }
}
