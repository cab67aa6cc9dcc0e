import test from 'ava';
import fc from 'fast-check';
import { formatIpv4, isUsableIpv4, parseIpv4 } from '../../src/net/ipv4.js';
import {
  contains,
  firstAddress,
  formatPrefix,
  lastAddress,
  masked,
  overlaps,
  type Prefix,
  parsePrefix,
} from '../../src/net/prefix.js';

const anyPrefix: fc.Arbitrary<Prefix> = fc.record({
  address: fc.nat(0xffffffff),
  length: fc.integer({ min: 0, max: 32 }),
});

test('any prefix is read back from its text', (t) => {
  fc.assert(fc.property(anyPrefix, (prefix) => t.deepEqual(parsePrefix(formatPrefix(prefix)), prefix)));
});

for (const text of [
  '10.5.0.0',
  '10.5.0.0/33',
  '10.5/16',
  '10.5.0.0/',
  '010.5.0.0/16',
  '0xa.5.0.0/16',
  ' 10.5.0.0/16',
])
  test(`${JSON.stringify(text)} is not a prefix`, (t) => {
    t.is(parsePrefix(text), undefined);
  });

test('the ends of the largest and of the smallest network are right', (t) => {
  const all = { address: 0xfffffffe, length: 0 };
  t.deepEqual([firstAddress(all), lastAddress(all)], [0, 0xffffffff]);
  const one = { address: 0xffffffff, length: 32 };
  t.deepEqual([firstAddress(one), lastAddress(one)], [0xffffffff, 0xffffffff]);
});

test('two networks overlap exactly when one contains the other', (t) => {
  fc.assert(
    fc.property(anyPrefix, anyPrefix, (a, b) => t.is(overlaps(a, b), contains(a, b) || contains(b, a))),
  );
});

test('a network contains its own addresses, and is the same once masked', (t) => {
  fc.assert(
    fc.property(anyPrefix, (prefix) => {
      t.true(contains(masked(prefix), prefix.address));
      t.deepEqual(masked(masked(prefix)), masked(prefix));
    }),
  );
});

test('a host can have unicast addresses only', (t) => {
  const usable = ['1.0.0.0', '10.0.0.1', '126.255.255.255', '128.0.0.0', '169.254.1.1', '223.255.255.255'];
  const unusable = [
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '127.255.255.255',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
  ];
  const addresses = [...usable, ...unusable].map((text) => parseIpv4(text)!);
  t.deepEqual(addresses.filter(isUsableIpv4).map(formatIpv4), usable);
});
