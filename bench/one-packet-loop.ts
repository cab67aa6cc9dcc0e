import { join } from 'node:path';
import { Lab } from '../src/lab/lab.js';
import type { LabOptions } from '../src/lab/options.js';
import { Process } from '../src/lab/process.js';
import { labDirectory } from '../src/lab/record.js';
import { waitFor } from '../src/lab/wait.js';

const DEVICE = 'floor0';

/** A lab whose hosts run `bench/c/one-packet-loop.c`, compiled into the folder `programs`, in place of a daemon. */
export async function labOfOnePacketLoops(programs: string, options: LabOptions): Promise<Lab> {
  const lab = await Lab.up({ ...options, daemon: false });
  try {
    for (const host of lab.hosts) {
      const others = lab.hosts.filter((peer) => peer !== host);
      const peers = others.map(({ number, address }) => `10.77.${number}.0/24=${address}`);
      const loop = await Process.start({
        namespace: host.namespace,
        words: [join(programs, 'one-packet-loop'), DEVICE, host.address, '8285', ...peers],
        logFile: `${labDirectory(lab.name)}/${host.name}-loop.log`,
      });
      await waitFor('the loop to be ready', async () => (await loop.log()).includes('ready'));
      await host.namespace.setSysctl('ipv4/ip_forward', '1');
      await host.namespace.ip(
        `address add 10.77.${host.number}.0/32 dev ${DEVICE}`,
        `link set ${DEVICE} mtu 1472 up`,
        `route add 10.77.0.0/16 dev ${DEVICE}`,
      );
      await host.attachContainer({ bridgeAddress: `10.77.${host.number}.1/24`, mtu: 1472 });
    }
  } catch (error) {
    await lab.down();
    throw error;
  }
  return lab;
}
