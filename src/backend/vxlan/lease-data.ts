import { type JsonValue, shown } from '../../json.js';
import type { Link } from '../../kernel/objects.js';
import type { Lease } from '../../lease/lease.js';
import { isUnicastMac, parseMac, vtepMac } from '../../net/mac.js';
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
  const device = observed.get(`link ${deviceName(options)}`);
  const kept =
    device?.kind === 'link' && fits(device, plannedDevice(options, uplink)) ? device.mac : undefined;
  return { VNI: options.vni, VtepMAC: kept ?? vtepMac(subnet, options.vni) };
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
