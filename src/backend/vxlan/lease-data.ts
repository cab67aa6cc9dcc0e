import { type JsonValue, shown } from '../../json.js';
import type { KernelState } from '../../kernel/kernel.js';
import type { Link } from '../../kernel/objects.js';
import type { Lease } from '../../lease/lease.js';
import { isUnicastMac, parseMac, vtepMac } from '../../net/mac.js';
import { type Prefix, parsePrefix } from '../../net/prefix.js';
import type { LeaseDataInput } from '../backend.js';
import { deviceName, plannedDevice } from './device.js';
import type { VxlanOptions } from './options.js';

/** `{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}`, as flannel writes it (pkg/backend/vxlan/device.go). */
export function vxlanLeaseData({
  options,
  uplink,
  subnet,
  observed,
}: LeaseDataInput<VxlanOptions>): JsonValue {
  const name = deviceName(options);
  const device = observed.get(`link ${name}`);
  const keeps =
    device?.kind === 'link' &&
    fits(device, plannedDevice(options, uplink)) &&
    !othersMacs(name, options, subnet, observed).includes(device.mac);
  return { VNI: options.vni, VtepMAC: keeps ? device.mac : vtepMac(subnet, options.vni) };
}

/** The MACs of the subnets that this host had before: whoever leases one of them makes its own device with it. */
function othersMacs(name: string, { vni }: VxlanOptions, subnet: Prefix, observed: KernelState): string[] {
  return [...observed.values()].flatMap((object) => {
    const address =
      object.kind === 'address' && object.link === name ? parsePrefix(object.address) : undefined;
    if (!address || address.address === subnet.address) return [];
    return vtepMac({ address: address.address, length: subnet.length }, vni);
  });
}

/** Whether a device that is there can stay, so that its MAC, which peers send to, stays too. */
function fits(device: Link, planned: Omit<Link, 'mac'>): boolean {
  const [is, wanted] = [device.vxlan, planned.vxlan];
  return (
    is !== undefined &&
    wanted !== undefined &&
    is.vni === wanted.vni &&
    is.port === wanted.port &&
    is.local === wanted.local &&
    is.device === wanted.device &&
    is.gbp === wanted.gbp
  );
}

/** The MAC in a lease's `BackendData`, in canonical form; undefined when there is none that is well-formed. */
export function vtepOf(data: JsonValue | undefined): string | undefined {
  if (typeof data !== 'object' || data === null || !('VtepMAC' in data)) return undefined;
  return typeof data.VtepMAC === 'string' ? parseMac(data.VtepMAC) : undefined;
}

/** Why frames to the peer's VTEP could not be delivered. `ownData` is what this host has published of itself. */
export function vtepRefusal(peer: Lease, ownData: JsonValue | undefined): string | undefined {
  const data = peer.attributes.backendData;
  const mac = vtepOf(data);
  if (mac === undefined) return `no VtepMAC in its BackendData ${shown(data ?? null)}`;
  if (mac === vtepOf(ownData)) return `its VtepMAC ${mac} is our own`;
  return isUnicastMac(mac) ? undefined : `its VtepMAC ${mac} is zero or multicast`;
}
