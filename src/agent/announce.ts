import { bridgeAddress, writeSubnetFile } from '../config/subnet-file.js';
import type { BridgeSettings } from '../docker/bridge.js';
import type { DockerBridge } from '../docker/docker-bridge.js';
import { FileError } from '../errors.js';
import { formatPrefix } from '../net/prefix.js';
import type { LifeInput } from './life.js';

/**
 * Tells Docker and everybody else what this host got: `daemon.json`, then the subnet file. Throws FileError when the
 * latter cannot be written; on a host that runs already that is an error in the log, and no more.
 */
export async function announce(input: LifeInput, signal: AbortSignal): Promise<DockerBridge | undefined> {
  const { survey, ground, options, log, continues } = input;
  const { subnet } = ground.lease;
  const mtu = survey.backend.mtu(survey.backendOptions, survey.uplink);
  // One of Docker and us masquerades.
  const settings: BridgeSettings = { bip: bridgeAddress(subnet), mtu, ipMasq: !options.ipMasq };
  const docker = input.dockerBridge?.(settings);
  // First, as a Docker that waits for the subnet file reads daemon.json as soon as that is there.
  await docker?.write(signal);
  const path = options.subnetFile;
  try {
    const { network } = survey.network;
    await writeSubnetFile(path, { network, subnet, mtu, ipMasq: options.ipMasq });
    log.info({ path, subnet: formatPrefix(subnet) }, 'wrote subnet file');
  } catch (error) {
    if (!(continues && error instanceof FileError)) throw error;
    log.error({ error: error.message }, 'cannot write the subnet file, going on without');
  }
  return docker;
}
