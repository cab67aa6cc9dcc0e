/**
 * A host that is cut off from etcd while the others go on: a peer changes its MAC, one its public IP, one its subnet,
 * one goes and one comes; and then etcd forgets all that happened.
 */
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, sharedLab, subnetOf } from './lab-test.js';
import { deleteLease, leaseOf, putLease, vxlanLease } from './lease-keys.js';

// After an outage who is missing is held; not for long, here.
const theLab = sharedLab({ flags: ['--peer-hold=1s'] });
const mac = (number: number) => `02:00:00:00:00:${String(number).padStart(2, '0')}`;

/** Peers without a machine behind them. */
async function putPeer(lab: Lab, number: number, publicIp: string, vtep = mac(number)): Promise<void> {
  await putLease(lab, `10.77.${number}.0-24`, vxlanLease(publicIp, vtep));
}

async function peersInKernel(lab: Lab): Promise<string[]> {
  const script = `ip -4 neighbour show nud permanent; bridge fdb show dev flannel.1; ip route show | grep 'proto 76'`;
  const lines = (await lab.host('h1').exec(['sh', '-ec', script])).split('\n');
  return lines.map((line) => line.trim()).sort();
}

/** Waits until it is so, or long enough; the comparison that follows shows what differs. */
async function settled(lab: Lab, expected: readonly string[]): Promise<void> {
  const isSo = async () => (await peersInKernel(lab)).join() === expected.join();
  await waitFor('the kernel as planned', isSo).catch(() => undefined);
}

function planned(peers: readonly { readonly subnet: string; readonly ip: string; readonly mac: string }[]) {
  return peers
    .flatMap((peer) => {
      const gateway = peer.subnet.replace('/24', '');
      const metric = 1000 + ((77 * 256 + Number(gateway.split('.')[2])) % 1024);
      return [
        `${gateway} dev flannel.1 lladdr ${peer.mac} PERMANENT`,
        `${peer.mac} dst ${peer.ip} self permanent`,
        `${peer.subnet} via ${gateway} dev flannel.1 proto 76 metric ${metric} onlink`,
      ];
    })
    .sort();
}

labTest('after a compaction that it missed, a host has exactly what there is now', async (t) => {
  const lab = theLab();
  const [h1, h2] = [lab.host('h1'), lab.host('h2')];
  for (const number of [11, 12, 13, 14]) await putPeer(lab, number, `192.168.77.${number}`);
  const h2Mac = JSON.parse((await leaseOf(lab, h2.address))!.value).BackendData.VtepMAC as string;
  const peer = (number: number, ip = `192.168.77.${number}`, vtep = mac(number)) => ({
    subnet: `10.77.${number}.0/24`,
    ip,
    mac: vtep,
  });
  const itself = { subnet: subnetOf(h2), ip: h2.address, mac: h2Mac };
  const before = planned([itself, peer(11), peer(12), peer(13), peer(14)]);
  await settled(lab, before);
  t.deepEqual(await peersInKernel(lab), before);

  await h1.cutOff();
  await h2.daemon.stop();
  await h2.ip(`link set flannel.1 address ${mac(2)}`);
  await h2.daemon.start();
  await h2.daemon.ready();
  await putPeer(lab, 11, '192.168.77.111');
  await putPeer(lab, 12, '192.168.77.12', mac(99));
  await deleteLease(lab, '10.77.13.0-24');
  await putPeer(lab, 15, '192.168.77.15');
  await lab.etcd.compact();
  t.deepEqual(await peersInKernel(lab), before);
  // Ends the connections, as a cut that lasts does by itself.
  await lab.etcd.stop();
  await lab.etcd.start();
  await h1.reconnect();

  const after = planned([
    { ...itself, mac: mac(2) },
    peer(11, '192.168.77.111'),
    peer(12, undefined, mac(99)),
    peer(14),
    peer(15),
  ]);
  await settled(lab, after);
  t.deepEqual(await peersInKernel(lab), after);
  await lab.untilAllReach();
  t.false((await h1.daemon.log()).includes('put back'));
});

labTest('events that came while a host was cut off reach it once it is back, compacted or not', async (t) => {
  const lab = theLab();
  const h1 = lab.host('h1');
  await h1.cutOff();
  await deleteLease(lab, '10.77.14.0-24');
  await lab.etcd.compact();
  await h1.reconnect();
  await waitFor('the peer is gone', async () => !(await peersInKernel(lab)).join().includes('10.77.14.0'));
  t.is((await lab.untilAllReach()).length, 2);
});
