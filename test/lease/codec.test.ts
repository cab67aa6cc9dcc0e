import test from 'ava';
import fc from 'fast-check';
import {
  configPath,
  decodeAttributes,
  encodeAttributes,
  leaseKey,
  leasePath,
  parseLeaseKey,
  subnetsPath,
} from '../../src/lease/codec.js';
import type { LeaseAttributes } from '../../src/lease/lease.js';
import { formatIpv4 } from '../../src/net/ipv4.js';
import { attributes, prefix } from './leases.js';

test('the prefix is cleaned as by path.Join of Go', (t) => {
  for (const spelt of [
    '/coreos.com/network',
    '/coreos.com/network/',
    '//coreos.com/./network',
    '/x/../coreos.com/network',
  ])
    t.is(leasePath(spelt, '10.5.34.0-24'), '/coreos.com/network/subnets/10.5.34.0-24', spelt);
  t.is(configPath('/coreos.com/network/'), '/coreos.com/network/config');
  t.is(subnetsPath('/coreos.com/network/'), '/coreos.com/network/subnets');
  t.is(subnetsPath('relative'), 'relative/subnets');
  t.is(subnetsPath(''), 'subnets');
  t.is(subnetsPath('/'), '/subnets');
});

test('a key is the subnet with a dash for the slash', (t) => {
  t.is(leaseKey({ subnet: prefix('10.5.34.0/24') }), '10.5.34.0-24');
  t.deepEqual(parseLeaseKey('10.5.34.0-24'), { subnet: prefix('10.5.34.0/24') });
});

test('a dual-stack key carries the IPv6 subnet after an ampersand', (t) => {
  const subnets = { subnet: prefix('10.12.13.0/24'), subnetV6: 'fd00:12:13::/56' };
  t.is(leaseKey(subnets), '10.12.13.0-24&fd00:12:13::-56');
  t.deepEqual(parseLeaseKey('10.12.13.0-24&fd00:12:13::-56'), subnets);
});

test('host bits of a key are kept', (t) => {
  t.deepEqual(parseLeaseKey('10.5.34.7-24'), { subnet: { address: 0x0a052207, length: 24 } });
});

for (const key of [
  '10',
  '10.12.13.0',
  '10.12.13-24',
  '10.12.13.300-24',
  '10.12.13.0-24hi',
  '&2001::-56',
  '10.12.13.0-24&2001-56',
  '10.12.13.0-24&2001::',
  '10.12.13.0-24&2001::-56hi',
  '10.12.13.0-32',
  '10.12.13.0-024',
  '10.12.13.0-24&2001::-056',
  '010.12.13.0-24',
  '10.12.13.0-24&2001::-128',
  '10.12.13.0-24&2001::1::-56',
  '10.12.13.0/24',
  ' 10.12.13.0-24',
  '10.12.13.0-24\n',
  '',
])
  test(`the key ${JSON.stringify(key)} is not a subnet's`, (t) => {
    t.is(parseLeaseKey(key), undefined);
  });

test('any subnet is read back from its key', (t) => {
  const subnets = fc.record(
    {
      subnet: fc.record({ address: fc.nat(0xffffffff), length: fc.integer({ min: 0, max: 31 }) }),
      subnetV6: fc.constantFrom('fd00::/64', '2001:db8:0:5::/56', '::/0'),
    },
    { requiredKeys: ['subnet'] },
  );
  fc.assert(fc.property(subnets, (lease) => t.deepEqual(parseLeaseKey(leaseKey(lease)), lease)));
});

test('no text makes the key reader throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseLeaseKey(text);
      }),
    ),
  );
});

const written: [string, LeaseAttributes, string][] = [
  [
    'vxlan',
    attributes('192.168.64.3', {
      backendType: 'vxlan',
      backendData: { VNI: 1, VtepMAC: 'c6:d2:32:6f:8f:44' },
    }),
    '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}',
  ],
  [
    'dual-stack vxlan',
    attributes('192.168.64.3', {
      publicIpV6: 'fd00::3',
      backendType: 'vxlan',
      backendV6Data: { VNI: 1, VtepMAC: 'aa:bb:cc:dd:ee:ff' },
      backendData: { VNI: 1, VtepMAC: 'c6:d2:32:6f:8f:44' },
    }),
    '{"PublicIP":"192.168.64.3","PublicIPv6":"fd00::3","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"},"BackendV6Data":{"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"}}',
  ],
  [
    'host-gw',
    attributes('192.168.64.3'),
    '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"host-gw"}',
  ],
  [
    'udp and alloc',
    attributes('192.168.64.3', { backendType: '' }),
    '{"PublicIP":"192.168.64.3","PublicIPv6":null}',
  ],
  [
    'our own',
    attributes('192.168.64.3', { backendType: '', identity: 'b0e5', boot: '9c', challenge: '192.0.2.1 a1' }),
    '{"PublicIP":"192.168.64.3","PublicIPv6":null,"LodenIdentity":"b0e5","LodenBoot":"9c","LodenChallenge":"192.0.2.1 a1"}',
  ],
  [
    'Go-escaped',
    attributes('192.168.64.3', { backendType: 'extension', backendData: 'a<b>&\u2028\u2029"\\é\t' }),
    '{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"extension","BackendData":"a\\u003cb\\u003e\\u0026\\u2028\\u2029\\"\\\\é\\t"}',
  ],
];
for (const [name, value, text] of written)
  test(`a ${name} lease is written as Go writes it, and read back`, (t) => {
    t.is(encodeAttributes(value), text);
    t.deepEqual(decodeAttributes(text), { value });
  });

test('any attributes are read back from what was written', (t) => {
  const arbitrary = fc.record(
    {
      publicIp: fc.nat(0xffffffff).map(formatIpv4),
      publicIpV6: fc.constantFrom(null, 'fd00::3'),
      backendType: fc.string(),
      backendData: fc.jsonValue(),
      backendV6Data: fc.jsonValue(),
      identity: fc.string(),
      boot: fc.string(),
      challenge: fc.string(),
    },
    { requiredKeys: ['publicIp', 'publicIpV6', 'backendType'] },
  );
  fc.assert(
    fc.property(arbitrary, (value) => {
      const once = encodeAttributes(value as LeaseAttributes);
      const decoded = decodeAttributes(once);
      if (!('value' in decoded)) return t.fail(decoded.reason);
      t.is(encodeAttributes(decoded.value), once);
      t.is(decoded.value.publicIp, value.publicIp);
      t.is(decoded.value.backendType, value.backendType);
      t.deepEqual(JSON.stringify(decoded.value.backendData), JSON.stringify(value.backendData));
    }),
  );
});

test('field names match whatever their case, and the last of several wins', (t) => {
  t.deepEqual(decodeAttributes('{"publicip":"192.0.2.1","PUBLICIP":"192.0.2.2","backendTYPE":"vxlan"}'), {
    value: attributes('192.0.2.2', { backendType: 'vxlan' }),
  });
});

test('unknown fields are ignored, and null is as good as absent where Go takes it so', (t) => {
  t.deepEqual(
    decodeAttributes('{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":null,"Later":{"a":1}}'),
    {
      value: attributes('192.0.2.1', { backendType: '' }),
    },
  );
});

test('a lease without PublicIP reads as 0.0.0.0', (t) => {
  t.deepEqual(decodeAttributes('{}'), { value: attributes('0.0.0.0', { backendType: '' }) });
});

for (const [text, reason] of [
  ['', 'the value "" is not a JSON object'],
  ['[]', 'the value "[]" is not a JSON object'],
  ['null', 'the value "null" is not a JSON object'],
  ['{"PublicIP":"192.0.2.1"', 'the value "{\\"PublicIP\\":\\"192.0.2.1\\"" is not a JSON object'],
  ['{"PublicIP":"192.0.2.300"}', 'PublicIP "192.0.2.300" is not an IPv4 address'],
  ['{"PublicIP":null}', 'PublicIP null is not an IPv4 address'],
  ['{"PublicIP":7}', 'PublicIP 7 is not an IPv4 address'],
  ['{"PublicIP":"192.0.2.1","PublicIPv6":"x"}', 'PublicIPv6 "x" is not an IPv6 address'],
  ['{"PublicIP":"192.0.2.1","BackendType":5}', 'BackendType 5 is not a string'],
] as const)
  test(`the value ${text} is skipped with its reason`, (t) => {
    t.deepEqual(decodeAttributes(text), { reason });
  });

test('a long bad value is cut in its reason', (t) => {
  const decoded = decodeAttributes('x'.repeat(100_000));
  t.true('reason' in decoded && decoded.reason.length < 120);
});

test('a value of a length that fills memory when many are like it is skipped', (t) => {
  const text = JSON.stringify({ PublicIP: '192.0.2.1', padding: 'x'.repeat(1_000_000) });
  t.regex((decodeAttributes(text) as { reason: string }).reason, /^the value has 10000\d\d characters$/);
});

test('a value that is nested too deep to be printed or compared is skipped', (t) => {
  const depth = 4000;
  const data = '['.repeat(depth) + ']'.repeat(depth);
  const text = `{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":${data}}`;
  t.deepEqual(decodeAttributes(text), { reason: 'the value is nested too deep' });
});

test('no text makes the value reader throw', (t) => {
  const texts = fc.oneof(fc.string(), fc.json());
  t.notThrows(() =>
    fc.assert(
      fc.property(texts, (text) => {
        decodeAttributes(text);
      }),
    ),
  );
});
