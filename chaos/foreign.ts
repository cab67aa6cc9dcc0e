/** What belongs to others on a host, and is to stay as it is whatever happens: planted before, compared after. */
import type { LabHost } from '../src/lab/host.js';

const PLANT = `
  ip link add foreign0 type bridge
  ip address add 10.99.1.1/24 dev foreign0
  ip link set foreign0 up
  ip route add 10.99.2.0/24 via 10.99.1.2 dev foreign0 onlink proto static
  ip route add blackhole 10.77.250.0/24 proto static
  ip rule add from 10.99.0.0/16 table 99
  ip route add default via 10.99.1.3 dev foreign0 onlink table 99
  ip neighbour add 10.99.1.2 lladdr 02:00:00:00:99:02 dev foreign0 nud permanent
  nft add table inet foreign
  nft add chain inet foreign forward '{ type filter hook forward priority -5 ; }'
  nft add rule inet foreign forward ip saddr 10.99.0.0/16 counter accept
`;

const LOOK = `
  ip -details link show foreign0 | grep -v timer
  ip -4 address show foreign0
  ip route show dev foreign0
  ip route show proto static
  ip route show table 99
  ip rule
  ip neighbour show dev foreign0
  nft list table inet foreign
`;

export class Foreign {
  readonly #pictures = new Map<string, string>();

  async plant(host: LabHost): Promise<void> {
    await host.exec(['sh', '-ec', PLANT]);
    this.#pictures.set(host.name, await look(host));
  }

  /** A sentence for each host where something of it is not as it was. */
  async changes(hosts: readonly LabHost[]): Promise<string[]> {
    const found = await Promise.all(
      hosts.map(async (host) => {
        const before = this.#pictures.get(host.name) ?? '';
        const now = await look(host);
        return now === before ? [] : [`${host.name}: what is not ours was\n${before}\nand is\n${now}`];
      }),
    );
    return found.flat();
  }
}

async function look(host: LabHost): Promise<string> {
  return (await host.namespace.attempt(['sh', '-c', LOOK])).stdout.replace(
    /,?(LOWER_UP|NO-CARRIER),?|state \w+/g,
    '',
  );
}
