/** What happens to a host: its daemon, its network, its links to the others. */
import type { LabHost } from '../src/lab/host.js';
import { bothWays } from '../src/lab/link-faults.js';
import { WIRE_ADDRESS } from '../src/lab/wire.js';
import type { Disturbance, Kind } from './disturbance.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

type Act = (host: LabHost, rig: Rig) => unknown;

interface Acts {
  readonly detail?: string;
  readonly begin: Act;
  readonly end?: Act;
  readonly settle?: Act;
}

function ofHost(name: string, costsPackets: boolean, draw: (random: Random, on: string) => Acts): Kind {
  return {
    name,
    part: 'host',
    costsPackets,
    prepare(random, on): Disturbance {
      const { detail, begin, end = () => {}, settle } = draw(random, on!);
      const run = (act: Act) => async (rig: Rig) => void (await act(rig.lab.host(on!), rig));
      return {
        ...(detail === undefined ? {} : { detail }),
        begin: run(begin),
        end: run(end),
        ...(settle === undefined ? {} : { settle: run(settle) }),
      };
    },
  };
}

const free = (name: string, acts: Acts) => ofHost(name, false, () => acts);
const costly = (name: string, acts: Acts) => ofHost(name, true, () => acts);

const startDaemon: Act = (host) => host.daemon.start();
const isReady: Act = (host) => host.daemon.ready();

/** Back from a reboot: the container comes back, on the subnet that the host then has. */
const isBack: Act = async (host, rig) => {
  await host.daemon.ready();
  await host.attachContainer();
  await rig.foreign.plant(host);
};

export const HOST_KINDS: readonly Kind[] = [
  free('lodend is killed', { begin: (host) => host.daemon.kill(), end: startDaemon, settle: isReady }),
  free('lodend is stopped', { begin: (host) => host.daemon.stop(), end: startDaemon, settle: isReady }),
  costly('lodend hangs', {
    begin: (host) => host.daemon.signal('SIGSTOP'),
    end: (host) => host.daemon.signal('SIGCONT'),
  }),
  costly('it is cut off', {
    begin: ({ name }, rig) => rig.disturbLinks(name, bothWays(name)),
    end: ({ name }, rig) => rig.disturbLinks(name, []),
  }),
  costly('what it sends is lost', {
    begin: ({ name }, rig) => rig.disturbLinks(name, [{ from: name }]),
    end: ({ name }, rig) => rig.disturbLinks(name, []),
  }),
  costly('what is sent to it is lost', {
    begin: ({ name }, rig) => rig.disturbLinks(name, [{ to: name }]),
    end: ({ name }, rig) => rig.disturbLinks(name, []),
  }),
  ofHost('its link loses packets', true, (random, on) => {
    const percent = random.integer(5, 60);
    return {
      detail: `${percent} %`,
      begin: (_, rig) => rig.disturbLinks(on, bothWays(on, undefined, percent)),
      end: (_, rig) => rig.disturbLinks(on, []),
    };
  }),
  costly('it does not reach etcd', {
    begin: ({ name }, rig) =>
      rig.disturbLinks(
        name,
        rig.memberNames.flatMap((member) => bothWays(name, member)),
      ),
    end: ({ name }, rig) => rig.disturbLinks(name, []),
  }),
  costly('it reboots', {
    begin: (host) => host.reboot(),
    end: startDaemon,
    settle: isBack,
  }),
  costly('its routes are flushed', { begin: (host) => host.ip('route flush proto 76') }),
  costly("the tunnel's device is deleted", {
    begin: (host) => host.namespace.attempt(['ip', 'link', 'delete', 'flannel.1']),
  }),
  free('a route of our protocol is added', {
    begin: (host) => host.ip('route replace blackhole 10.77.200.0/24 proto 76'),
  }),
  costly('the uplink goes down', {
    begin: (host) => host.ip('link set eth0 down'),
    end: (host) => host.namespace.ip('link set eth0 up', `route replace default via ${WIRE_ADDRESS}`),
  }),
  costly('the uplink is made anew', { begin: (host) => host.replug() }),
  costly('the uplink has another MTU', {
    begin: (host) => host.ip('link set eth0 mtu 1400'),
    end: (host) => host.ip('link set eth0 mtu 1500'),
  }),
  ofHost('the address changes', true, (random, on) => {
    const address = `192.168.77.${random.integer(10, 24) * 10 + Number(on.slice(1))}`;
    return { detail: address, begin: (host) => host.changeAddress(address) };
  }),
];
