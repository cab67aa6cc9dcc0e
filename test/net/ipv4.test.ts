import test from 'ava';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { formatIpv4, parseIpv4 } from '../../src/net/ipv4.js';

test('four decimal octets are an address, whatever they are', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const octets = text.split('.').map(Number);
      t.is(
        parseIpv4(text),
        octets.reduce((sum, octet) => sum * 256 + octet, 0),
      );
      t.is(formatIpv4(parseIpv4(text)!), text);
    }),
  );
});

test('what looks like an address is one where ipaddr.js says so too', (t) => {
  const part = fc.oneof(
    fc.nat({ max: 300 }).map(String),
    fc.constantFrom('', '0', '00', '01', '1e1', '0x1', ' 1', '-1'),
  );
  const texts = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(texts, (text) => {
      t.is(parseIpv4(text) !== undefined, ipaddr.IPv4.isValidFourPartDecimal(text), text);
    }),
  );
});

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4\n',
  '1.2.3.4/8',
  '٣.2.3.4',
  '1.2.3.4.',
])
  test(`${JSON.stringify(text)} is not an address`, (t) => {
    t.is(parseIpv4(text), undefined);
  });
