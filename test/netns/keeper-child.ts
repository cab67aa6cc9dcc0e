/** Keeps the firewall of the namespace that it was started in, and tells what it does. */
import { pino } from 'pino';
import { FirewallKeeper } from '../../src/agent/firewall/firewall-keeper.js';
import { HostFirewall } from '../../src/firewall/host/host-firewall.js';
import type { KeeperTold, KeptBy } from './firewalled-host.js';

const { wish, resyncMs } = JSON.parse(process.argv[2]!) as KeptBy;
const tell = (told: KeeperTold) => process.connected && process.send?.(told);
const log = pino({ base: null }, { write: (line) => tell({ kind: 'log', line: JSON.parse(line) }) });

const keeper = new FirewallKeeper({
  firewall: new HostFirewall(),
  wish: async () => {
    tell({ kind: 'look' });
    return wish;
  },
  resyncMs,
  log,
});
process.on('disconnect', () => process.exit());
await keeper.run(new AbortController().signal, () => tell({ kind: 'tried' }));
