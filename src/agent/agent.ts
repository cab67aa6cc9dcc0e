/**
 * The daemon's life.
 *
 *   wait for etcd and the config ─▶ survey the host ─▶ lease a subnet ─▶ write subnet.env ─▶ program the kernel ─▶ ready
 *
 * and from then on three things at once, until the signal: follow the leases, keep the kernel as they say, keep our
 * own lease. Stopping leaves kernel and lease as they are.
 */
import type { Logger } from 'pino';
import type { DaemonOptions } from '../config/options/daemon.js';
import { writeSubnetFile } from '../config/subnet-file.js';
import type { Kernel } from '../kernel/kernel.js';
import { acquire } from '../lease/acquire.js';
import type { Lease, LeaseAttributes } from '../lease/lease.js';
import type { LeaseStore } from '../lease/store.js';
import { formatPrefix, type Prefix } from '../net/prefix.js';
import { type Health, serveHealth } from './health.js';
import { loadIdentity } from './identity.js';
import { Membership } from './membership.js';
import type { Notify } from './notify.js';
import { persist } from './persist.js';
import { leaseData, type Survey, surveyHost, viewOf } from './survey.js';

export interface AgentPorts {
  readonly options: DaemonOptions;
  readonly store: LeaseStore;
  readonly kernel: Kernel;
  readonly log: Logger;
  readonly notify: Notify;
}

/**
 * Settles when the signal is aborted. Throws ConfigError, OptionError, UplinkError, FileError when this host cannot
 * begin, and SubnetLostError when another host got its subnet.
 */
export async function runAgent(ports: AgentPorts, signal: AbortSignal): Promise<void> {
  const { options, log, notify } = ports;
  const health = await serveHealth(options.healthzIp, options.healthzPort);
  try {
    const identity = await loadIdentity(options.stateDir);
    const survey = await surveyWhenConfigured(ports, health, signal);
    health.set({ ready: false, reason: 'waiting for a lease' });
    const lease = await acquireLease(ports, survey, identity, signal);
    await announceSubnet(ports, survey, lease.subnet);
    await new Membership({ ...ports, survey, lease }).run(signal, () => {
      health.set({ ready: true });
      notify(`READY=1\nSTATUS=${formatPrefix(lease.subnet)} by ${survey.backend.type}`);
      log.info({ subnet: formatPrefix(lease.subnet), backend: survey.backend.type }, 'ready');
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    health.close();
  }
}
