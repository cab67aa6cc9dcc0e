import { createHash } from 'node:crypto';
import { formatPrefix, type Prefix } from './prefix.js';

/** Reads six hex octets joined by colons, in any case; the canonical lower-case text, or undefined. */
export function parseMac(text: string): string | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? text.toLowerCase() : undefined;
}

/** Whether this is an address that one device can own: neither zero nor a group (multicast, broadcast). */
export function isUnicastMac(mac: string): boolean {
  return mac !== '00:00:00:00:00:00' && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0;
}

/**
 * The MAC of a VXLAN device, from what is unique to this host in this network: its leased subnet. Two hosts never
 * hold one subnet, while cloned machines do share machine-ids; and it is the same after a reboot, so peers see no
 * change. Locally administered, unicast.
 */
export function vtepMac(subnet: Prefix, vni: number): string {
  const digest = createHash('sha256')
    .update(`loden vtep ${vni} ${formatPrefix(subnet)}`)
    .digest();
  const first = (digest[0]! & 0xfc) | 0x02;
  return [first, ...digest.subarray(1, 6)].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
