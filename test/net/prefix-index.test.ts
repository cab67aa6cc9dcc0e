import test from 'ava';
import fc from 'fast-check';
import { formatPrefix, masked, overlaps, type Prefix } from '../../src/net/prefix.js';
import { PrefixIndex } from '../../src/net/prefix-index.js';

interface Item {
  readonly key: string;
  readonly subnet: Prefix;
  readonly odd: boolean;
  readonly stays: boolean;
}

const subnets: fc.Arbitrary<Prefix> = fc
  .record({ address: fc.nat(255), length: fc.integer({ min: 24, max: 32 }) })
  .map(({ address, length }) => masked({ address: 0xc0000200 + address, length }));
const items = fc.uniqueArray(
  fc.record({ key: fc.string(), subnet: subnets, odd: fc.boolean(), stays: fc.boolean() }),
  { selector: ({ key }) => key },
);

const keysOf = (found: Iterable<Item>) => [...found].map(({ key }) => key).sort();

test('what overlaps a prefix is what comparing with each finds', (t) => {
  fc.assert(
    fc.property(items, subnets, (all, prefix) => {
      const index = new PrefixIndex<Item>();
      for (const item of all) index.add(item);
      for (const item of all) if (!item.stays) index.delete(item);
      const expected = all.filter(({ subnet, stays }) => stays && overlaps(subnet, prefix));
      t.deepEqual(keysOf(index.overlapping(prefix)), keysOf(expected));

      const [first] = expected
        .filter(({ odd }) => odd)
        .sort((a, b) => a.subnet.address - b.subnet.address || a.subnet.length - b.subnet.length);
      const found = index.first(prefix, ({ odd }) => odd);
      t.is(found && formatPrefix(found.subnet), first && formatPrefix(first.subnet));
    }),
  );
});

test('deleting what is not there does nothing', (t) => {
  const index = new PrefixIndex<Item>();
  const item = { key: 'a', subnet: { address: 0, length: 24 }, odd: true, stays: true };
  index.add(item);
  index.delete({ ...item });
  index.delete({ ...item, key: 'b', subnet: { address: 0, length: 25 } });
  t.deepEqual(keysOf(index.overlapping(item.subnet)), ['a']);
});
