/**
 * Kernel objects as `ip`, `bridge` and `sysctl` write them, and changes as commands: for messages, for `loden plan`,
 * and for tests. Each command can be pasted into a root shell.
 */
import type { Change } from './kernel.js';
import type { KernelObject, Link, Route, VxlanAttributes } from './objects.js';

/** Names of /etc/iproute2/rt_protos that every version of iproute2 knows. */
const PROTOCOL_NAMES = new Map([
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [16, 'dhcp'],
]);

/** Makes what the addon's `tunCreate` makes: persistent, and for several threads. */
const TUNTAP = 'ip tuntap add mode tun vnet_hdr multi_queue dev';

/** `10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1005` */
export function describe(object: KernelObject): string {
  switch (object.kind) {
    case 'link':
      return `${object.name} ${linkSettings(object)}${typeText(object)}`;
    case 'address':
      return `${object.address} dev ${object.link}`;
    case 'neighbour':
      return `${object.address} lladdr ${object.mac} dev ${object.link}${object.permanent ? ' nud permanent' : ''}`;
    case 'fdb':
      return `${object.mac} dev ${object.link} dst ${object.destination} self${object.permanent ? ' permanent' : ''}`;
    case 'route':
      return routeText(object);
    case 'sysctl':
      return `${object.path}=${object.value}`;
  }
}

/** One line; several commands are joined by `&&`. */
export function command(change: Change): string {
  const { object } = change;
  switch (object.kind) {
    case 'link':
      return change.kind === 'replace' && change.before.kind === 'link'
        ? changeLink(object, change.before)
        : linkCommand(change.kind, object);
    case 'address':
      return `ip address ${verb(change, 'replace', 'del')} ${describe(object)}`;
    case 'neighbour':
      return `ip neighbour ${verb(change, 'replace', 'del')} ${change.kind === 'remove' ? `${object.address} dev ${object.link}` : describe(object)}`;
    case 'fdb':
      return `bridge fdb ${verb(change, 'replace', 'del')} ${describe(object)}`;
    case 'route':
      return `ip route ${verb(change, 'add', 'del')} ${routeText(object)}`;
    case 'sysctl':
      return `sysctl -w ${describe(object)}`;
  }
}

/** Neighbours and entries on a link of ours are set whether or not one is there; a route must not be. */
function verb(change: Change, add: string, remove: string): string {
  return change.kind === 'add' ? add : change.kind === 'remove' ? remove : 'replace';
}

function routeText(route: Route): string {
  return [
    ...(route.type === 'blackhole' ? ['blackhole'] : []),
    route.destination,
    ...(route.gateway === undefined ? [] : ['via', route.gateway]),
    ...(route.link === undefined ? [] : ['dev', route.link]),
    ...(route.onlink ? ['onlink'] : []),
    'proto',
    PROTOCOL_NAMES.get(route.protocol) ?? route.protocol,
    ...(route.metric === 0 ? [] : ['metric', route.metric]),
  ].join(' ');
}

function linkSettings(link: Link): string {
  return `${macText(link)}mtu ${link.mtu} ${link.up ? 'up' : 'down'}`;
}

function macText({ mac }: Link): string {
  return mac === '' ? '' : `address ${mac} `;
}

function typeText(link: Link): string {
  if (link.vxlan) return ` type vxlan ${vxlanText(link.vxlan)}`;
  return link.type === '' ? '' : ` type ${link.type}`;
}

function vxlanText(vxlan: VxlanAttributes): string {
  const { vni, device, local, port, learning, gbp } = vxlan;
  const flags = `${learning ? 'learning' : 'nolearning'}${gbp ? ' gbp' : ''}`;
  return `id ${vni} dev ${device} local ${local} dstport ${port} ${flags}`;
}

function linkCommand(kind: Change['kind'], link: Link): string {
  if (kind === 'remove') return `ip link del ${link.name}`;
  if (link.type === 'tun') return `${TUNTAP} ${link.name} && ip link set ${link.name} ${linkSettings(link)}`;
  const add = `ip link add ${link.name} ${macText(link)}mtu ${link.mtu}${typeText(link)}`;
  return link.up ? `${add} && ip link set ${link.name} up` : add;
}

/** Only what differs; a vxlan's VNI is named because `ip` demands it. */
function changeLink(link: Link, before: Link): string {
  const settings = [
    ...(link.mac === before.mac ? [] : [`address ${link.mac}`]),
    ...(link.mtu === before.mtu ? [] : [`mtu ${link.mtu}`]),
    ...(link.up === before.up ? [] : [link.up ? 'up' : 'down']),
  ];
  const typed = link.vxlan && before.vxlan ? changedVxlan(link.vxlan, before.vxlan) : [];
  return [
    ...(typed.length > 0 ? [`type vxlan id ${link.vxlan?.vni} ${typed.join(' ')}`] : []),
    ...(settings.length > 0 ? [settings.join(' ')] : []),
  ]
    .map((text) => `ip link set ${link.name} ${text}`)
    .join(' && ');
}

function changedVxlan(vxlan: VxlanAttributes, before: VxlanAttributes): string[] {
  return [
    ...(vxlan.device === before.device ? [] : [`dev ${vxlan.device}`]),
    ...(vxlan.local === before.local ? [] : [`local ${vxlan.local}`]),
    ...(vxlan.learning === before.learning ? [] : [vxlan.learning ? 'learning' : 'nolearning']),
  ];
}
