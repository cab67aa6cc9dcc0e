import test from 'ava';
import fc from 'fast-check';
import { KernelError } from '../../src/errors.js';
import { isAcknowledgement, readAcknowledgement } from '../../src/kernel/netlink/acknowledgement.js';
import { RTM_NEWADDR, writeAddress } from '../../src/kernel/netlink/address.js';
import { EventReader } from '../../src/kernel/netlink/event-reader.js';
import { kernelError } from '../../src/kernel/netlink/failure.js';
import { Known } from '../../src/kernel/netlink/filter.js';
import { RTM_NEWLINK, writeLink } from '../../src/kernel/netlink/link.js';
import { LinkTable } from '../../src/kernel/netlink/link-table.js';
import { MessageReader } from '../../src/kernel/netlink/message.js';
import { RTM_NEWNEIGH, writeNeighbour } from '../../src/kernel/netlink/neighbour.js';
import { RTM_NEWROUTE, writeRoute } from '../../src/kernel/netlink/route.js';
import { MessageWriter } from '../../src/kernel/netlink/writer.js';
import { prefix } from '../lease/leases.js';

const OWNED = {
  links: ['flannel.1'],
  pools: [prefix('10.5.0.0/16')],
  routeProtocol: 76,
  uplink: 'eth0',
  sysctls: [],
};

/** A VXLAN device of ours, an address on it, a neighbour and an FDB entry of a peer, and the route to it. */
const NOTIFICATIONS = (() => {
  const writer = new MessageWriter();
  const header = (type: number) => ({ type, flags: 0, sequence: 0 });
  const vxlan = { id: 1, local: 0xc0000201, device: 2, port: 8472, learning: false, gbp: false };
  const mac = 'c6:d2:32:6f:8f:44';
  writeLink(writer, header(RTM_NEWLINK), { index: 2, family: 0, up: true, name: 'eth0', mtu: 1500 });
  writeLink(writer, header(RTM_NEWLINK), {
    ...{ index: 7, family: 0, up: true, name: 'flannel.1', mac, mtu: 1450, kind: 'vxlan', vxlan },
  });
  writeAddress(writer, header(RTM_NEWADDR), { link: 7, length: 32, local: 0x0a050100 });
  for (const family of [2, 7])
    writeNeighbour(writer, header(RTM_NEWNEIGH), {
      ...{ family, link: 7, state: 0x80, flags: family === 7 ? 2 : 0, address: 0x0a050200, mac },
    });
  writeRoute(writer, header(RTM_NEWROUTE), {
    ...{ destination: 0x0a050200, length: 24, tos: 0, table: 254, protocol: 76, scope: 0, type: 1, flags: 4 },
    ...{ metric: 1002, gateway: 0x0a050200, link: 7, source: undefined, complex: false },
  });
  return Buffer.from(writer.bytes());
})();

/** Notifications with some bytes changed, and cut off somewhere; or any bytes. */
const hostileBytes = fc.oneof(
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(NOTIFICATIONS.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(NOTIFICATIONS.length),
    )
    .map(([changes, length]) => {
      const bytes = Buffer.from(NOTIFICATIONS);
      for (const [at, octet] of changes) bytes[at] = octet;
      return bytes.subarray(0, length);
    }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

function eventsIn(bytes: Buffer) {
  return new EventReader(OWNED, new Known(), new LinkTable()).read(bytes);
}

test('notifications that are whole are told', (t) => {
  const objects = eventsIn(NOTIFICATIONS).flatMap((event) =>
    event.kind === 'set' ? [event.object.kind] : [],
  );
  t.deepEqual(objects, ['link', 'address', 'neighbour', 'fdb', 'route']);
});

test('notifications that are not, or are none, are passed over', (t) => {
  fc.assert(
    fc.property(hostileBytes, (bytes) =>
      eventsIn(bytes).every(({ kind }) => ['set', 'gone', 'overflow'].includes(kind)),
    ),
    { numRuns: 20_000 },
  );
  t.pass();
});

test('a message cut off within its struct is none, wherever it is cut off', (t) => {
  for (let length = 0; length < NOTIFICATIONS.length; length++) {
    const bytes = Buffer.from(NOTIFICATIONS.subarray(0, length));
    // Its header agrees.
    if (length >= 16) bytes.writeUInt32LE(length, 0);
    t.notThrows(() => eventsIn(bytes), `${length} bytes`);
  }
});

test('a refusal of any bytes is a KernelError', (t) => {
  const anyType = fc.constantFrom(2, 3);
  fc.assert(
    fc.property(anyType, fc.uint8Array({ maxLength: 80 }), fc.nat(0xffff), (type, body, flags) => {
      const bytes = Buffer.alloc(16 + body.length);
      bytes.writeUInt32LE(bytes.length, 0);
      bytes.writeUInt16LE(type, 4);
      bytes.writeUInt16LE(flags, 6);
      bytes.set(body, 16);
      const reader = new MessageReader(bytes);
      if (!reader.next()) return type === 2 && body.length < 20;
      return (
        isAcknowledgement(reader.type) &&
        kernelError('test', readAcknowledgement(reader)) instanceof KernelError
      );
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});
