import { bridgeAddress, writeSubnetFile } from '../config/subnet-file.js';
import type { BridgeSettings } from '../docker/bridge.js';
import type { DockerBridge } from '../docker/docker-bridge.js';
import { FileError } from '../errors.js';
import { systemClock } from '../lease/clock.js';
import { formatPrefix } from '../net/prefix.js';
import type { LifeInput } from './life.js';

/** What is left to do once all were told. */
export interface Announced {
  readonly docker: DockerBridge | undefined;
  /** Settles at once, unless the subnet file is to be written yet. Rejects with the signal's reason. */
  writeFile(signal: AbortSignal): Promise<void>;
}

/** A disk that is full may have room again. */
const AGAIN_MS = 1000;

/**
 * Tells Docker and everybody else what this host got: `daemon.json`, then the subnet file. Throws FileError when the
 * latter cannot be written; on a host that runs already that is an error in the log, and is left for later.
 */
export async function announce(input: LifeInput, signal: AbortSignal): Promise<Announced> {
  const { survey, ground, options, log, continues } = input;
  const { subnet } = ground.lease;
  const mtu = survey.backend.mtu(survey.backendOptions, survey.uplink);
  // One of Docker and us masquerades.
  const settings: BridgeSettings = { bip: bridgeAddress(subnet), mtu, ipMasq: !options.ipMasq };
  const docker = input.dockerBridge?.(settings);
  // First, as a Docker that waits for the subnet file reads daemon.json as soon as that is there.
  await docker?.write(signal);
  const path = options.subnetFile;
  const { network } = survey.network;
  const write = async () => {
    await writeSubnetFile(path, { network, subnet, mtu, ipMasq: options.ipMasq });
    log.info({ path, subnet: formatPrefix(subnet) }, 'wrote subnet file');
  };
  try {
    await write();
  } catch (error) {
    if (!(continues && error instanceof FileError)) throw error;
    log.error({ error: error.message }, 'cannot write the subnet file, trying again');
    return { docker, writeFile: (until) => writeLate(write, until) };
  }
  return { docker, writeFile: async () => undefined };
}

async function writeLate(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    await systemClock.sleep(AGAIN_MS, signal);
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }
}
