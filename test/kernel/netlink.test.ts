import test from 'ava';
import fc from 'fast-check';
import { errnoName, explain, readAcknowledgement } from '../../src/kernel/netlink/acknowledgement.js';
import { RTM_NEWADDR, readAddress, writeAddress } from '../../src/kernel/netlink/address.js';
import { type LinkMessage, RTM_NEWLINK, readLink, writeLink } from '../../src/kernel/netlink/link.js';
import { MessageReader } from '../../src/kernel/netlink/message.js';
import { RTM_NEWNEIGH, readNeighbour, writeNeighbour } from '../../src/kernel/netlink/neighbour.js';
import { RTM_NEWROUTE, readRoute, writeRoute } from '../../src/kernel/netlink/route.js';
import { MessageWriter } from '../../src/kernel/netlink/writer.js';

const u8 = fc.nat(255);
const u32 = fc.nat({ max: 0xffffffff });
/** Objects as literals make them, which deepEqual tells from those without a prototype. */
const PLAIN = { noNullPrototype: true };
const index = fc.integer({ min: 1, max: 0x7fffffff });
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':'));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

type Write<T> = (
  writer: MessageWriter,
  header: { type: number; flags: number; sequence: number },
  message: T,
) => void;

/** Writes several messages one after the other, and reads them back. */
function roundTrip<T>(
  messages: readonly T[],
  type: number,
  write: Write<T>,
  read: typeof readLink,
): unknown[] {
  const writer = new MessageWriter(16); // so small that it has to grow
  messages.forEach((message, i) => {
    write(writer, { type, flags: 1, sequence: i + 1 }, message);
  });
  const reader = new MessageReader(writer.bytes());
  const found: unknown[] = [];
  while (reader.next()) {
    if (reader.type !== type || reader.sequence !== found.length + 1) throw new Error('a header is wrong');
    found.push(read(reader.buffer, reader.start, reader.end));
  }
  return found;
}

const anyLink: fc.Arbitrary<LinkMessage> = fc.record(
  {
    index,
    family: u8,
    up: fc.boolean(),
    name: fc.stringMatching(/^[a-z0-9.-]{1,15}$/),
    mac,
    mtu: u32,
    kind: fc.constant('vxlan'),
    vxlan: fc.record(
      {
        id: fc.nat(0xffffff),
        local: u32,
        device: index,
        port: fc.nat(65535),
        learning: fc.boolean(),
        gbp: fc.boolean(),
      },
      PLAIN,
    ),
  },
  { requiredKeys: ['index', 'family', 'up', 'kind'], ...PLAIN },
);

test('a link reads as it was written', (t) => {
  fc.assert(
    fc.property(fc.array(anyLink), (links) => {
      t.deepEqual(roundTrip(links, RTM_NEWLINK, writeLink, readLink), links);
    }),
  );
});

test('an address reads as it was written', (t) => {
  const anyAddress = fc.record({ link: index, length: fc.nat(32), local: u32 }, PLAIN);
  fc.assert(
    fc.property(fc.array(anyAddress), (addresses) => {
      const read = roundTrip(addresses, RTM_NEWADDR, writeAddress, readAddress as never);
      t.deepEqual(
        read,
        addresses.map((address) => ({ ...address, peer: address.local, flags: 0 })),
      );
    }),
  );
});

test('a neighbour and an FDB entry read as they were written', (t) => {
  const any = fc.record(
    {
      family: fc.constantFrom(2, 7),
      link: index,
      state: u8,
      flags: u8,
      address: optional(u32),
      mac: optional(mac),
    },
    PLAIN,
  );
  fc.assert(
    fc.property(fc.array(any), (entries) => {
      t.deepEqual(roundTrip(entries, RTM_NEWNEIGH, writeNeighbour, readNeighbour as never), entries);
    }),
  );
});

test('a route reads as it was written', (t) => {
  const any = fc.record(
    {
      destination: u32,
      length: fc.nat(32),
      tos: u8,
      table: u8,
      protocol: u8,
      scope: u8,
      type: u8,
      flags: u32,
      metric: u32,
      gateway: optional(u32),
      link: optional(index),
      source: fc.constant(undefined),
      complex: fc.constant(false),
    },
    PLAIN,
  );
  fc.assert(
    fc.property(fc.array(any), (routes) => {
      t.deepEqual(roundTrip(routes, RTM_NEWROUTE, writeRoute, readRoute as never), routes);
    }),
  );
});

test('reading comes to an end, whatever the bytes', (t) => {
  const result = fc.check(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const reader = new MessageReader(Buffer.from(bytes));
      let before = -1;
      while (reader.next()) {
        if (reader.start <= before || reader.end > bytes.length) return false;
        before = reader.start;
      }
      return true;
    }),
  );
  t.false(result.failed, `seed ${result.seed}`);
});

/** Linux 6.18's answer to a route by `lo` whose gateway is not on-link, with CAP_ACK and EXT_ACK set. */
const REFUSED =
  '440000000200000301000000197700009bffffff34000000180005060100000000000000200001004e657874686f702068617320' +
  '696e76616c6964206761746577617900';

test("a refusal has the kernel's own words", (t) => {
  const reader = new MessageReader(Buffer.from(REFUSED, 'hex'));
  t.true(reader.next());
  const refusal = readAcknowledgement(reader);
  t.is(errnoName(refusal.errno), 'ENETUNREACH');
  t.is(explain(refusal), 'Nexthop has invalid gateway');
});

test('a refusal without words is explained by its number', (t) => {
  t.is(explain({ errno: 17, text: '' }), 'file already exists');
  t.is(errnoName(95), 'EOPNOTSUPP');
  t.is(errnoName(9999), 'errno 9999');
});
