import test from 'ava';
import fc from 'fast-check';
import { backendWarnings, parseNetworkConfig } from '../../src/config/network.js';
import { ConfigError } from '../../src/errors.js';
import { formatIpv4, parseIpv4 } from '../../src/net/ipv4.js';
import { contains, formatPrefix, prefixSize } from '../../src/net/prefix.js';

const vxlan = { Type: 'vxlan' };

function parse(json: unknown) {
  return parseNetworkConfig(JSON.stringify(json), 'test').config;
}

/** The config as text, to compare at a glance. */
function summary(json: unknown): string {
  const { network, subnetLength, subnetMin, subnetMax, backend } = parse(json);
  return `${formatPrefix(network)} /${subnetLength} ${formatIpv4(subnetMin)}-${formatIpv4(subnetMax)} ${backend.type}`;
}

function refusal(json: unknown): ConfigError {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(json)}`);
}

test("defaults are flannel's: /24 subnets, the first one left out, udp", (t) => {
  t.is(summary({ Network: '10.5.0.0/16' }), '10.5.0.0/16 /24 10.5.1.0-10.5.255.0 udp');
  t.is(summary({ Network: '10.5.0.0/22' }), '10.5.0.0/22 /24 10.5.1.0-10.5.3.0 udp');
  t.is(summary({ Network: '10.5.0.0/23' }), '10.5.0.0/23 /25 10.5.0.128-10.5.1.128 udp');
  t.is(summary({ Network: '10.5.0.0/28' }), '10.5.0.0/28 /30 10.5.0.4-10.5.0.12 udp');
});

test('what is given is used, and zero values count as absent', (t) => {
  const given = { SubnetLen: 26, SubnetMin: '10.5.0.0', SubnetMax: '10.5.7.192', Backend: vxlan };
  t.is(summary({ Network: '10.5.0.0/16', ...given }), '10.5.0.0/16 /26 10.5.0.0-10.5.7.192 vxlan');
  const zero = { SubnetLen: 0, SubnetMin: '0.0.0.0', SubnetMax: null };
  t.is(summary({ Network: '10.5.0.0/16', ...zero }), summary({ Network: '10.5.0.0/16' }));
});

test('host bits of Network are cleared', (t) => {
  t.is(summary({ Network: '10.10.10.0/16' }), '10.10.0.0/16 /24 10.10.1.0-10.10.255.0 udp');
});

test('the pool may end where addresses end', (t) => {
  t.is(summary({ Network: '255.255.0.0/16' }), '255.255.0.0/16 /24 255.255.1.0-255.255.255.0 udp');
});

test('keys match whatever their case, and the last of several counts', (t) => {
  t.is(
    summary({ NETWORK: '10.6.0.0/16', network: '10.5.0.0/16', subnetlen: 25, backend: { TYPE: 'VXLAN' } }),
    '10.5.0.0/16 /25 10.5.0.128-10.5.255.128 vxlan',
  );
});

test('fields of Backend are found whatever their case, null counting as absent', (t) => {
  const { backend } = parse({
    Network: '10.5.0.0/16',
    Backend: { Type: 'vxlan', vni: 7, Port: null, Vnii: 1 },
  });
  t.is(backend.field('VNI'), 7);
  t.is(backend.field('Port'), undefined);
  t.deepEqual(backend.unknown(), ['Vnii']);
  t.deepEqual(backendWarnings(backend), [
    'Backend.Vnii is not a known field and is ignored; did you mean Backend.VNI?',
  ]);
});

test('each unknown key is a warning that names the nearest known one, if one is near', (t) => {
  const text = JSON.stringify({ Network: '10.5.0.0/16', SubnetLenght: 24, Comment: 'ours' });
  t.deepEqual(parseNetworkConfig(text, 'test').warnings, [
    'SubnetLenght is not a known field and is ignored; did you mean SubnetLen?',
    'Comment is not a known field and is ignored',
  ]);
});

const network = '10.5.0.0/16';
const refused: [json: unknown, field: string, ...says: string[]][] = [
  [
    {},
    'Network',
    'please define a correct Network parameter in the flannel config',
    'missing',
    '10.5.0.0/16',
  ],
  [{ Network: '10.5.0.0' }, 'Network', 'please define a correct Network', '"10.5.0.0"'],
  [{ Network: '0.0.0.0/0' }, 'Network', 'please define a correct Network'],
  [{ Network: 5 }, 'Network', 'Network is 5', 'a text'],
  [{ Network: network, SubnetLen: 31 }, 'SubnetLen', 'SubnetLen must be less than /31', '31', '18 to 30'],
  [{ Network: network, SubnetLen: 17 }, 'SubnetLen', 'at least four subnets', '17', '18 to 30'],
  [{ Network: network, SubnetLen: '24' }, 'SubnetLen', '"24"', 'a whole number, without quotes'],
  [{ Network: network, SubnetLen: -1 }, 'SubnetLen', '-1', 'a whole number'],
  [{ Network: '10.5.0.0/29', SubnetLen: 30 }, 'SubnetLen', 'at least four subnets', '/28 or larger'],
  [{ Network: '10.5.0.0/29' }, 'Network', 'network is too small. Minimum useful network prefix is /28'],
  [{ Network: network, SubnetMin: '10.6.0.0' }, 'SubnetMin', 'SubnetMin is not in the range of the Network'],
  [{ Network: network, SubnetMax: '10.4.0.0' }, 'SubnetMax', 'SubnetMax is not in the range of the Network'],
  [
    { Network: network, SubnetMin: '10.5.1.9' },
    'SubnetMin',
    'SubnetMin is not on a SubnetLen boundary: 10.5.1.9',
    'accepted is 10.5.1.0 or 10.5.2.0',
  ],
  [{ Network: network, SubnetMax: '10.5.255.9' }, 'SubnetMax', 'on a SubnetLen boundary', '10.5.255.0'],
  [{ Network: network, SubnetMax: '10.5.0.0' }, 'SubnetMax', 'no subnet lies between', '10.5.1.0'],
  [{ Network: network, SubnetMin: 'here' }, 'SubnetMin', '"here"', 'an address'],
  [{ Network: network, Backend: 'vxlan' }, 'Backend', '"vxlan"', '{"Type": "vxlan"}'],
  [{ Network: network, Backend: {} }, 'Backend.Type', 'unknown backend type', 'missing'],
  [{ Network: network, Backend: { Type: 7 } }, 'Backend.Type', 'Backend.Type is 7'],
  [{ Network: network, EnableNFTables: 'yes' }, 'EnableNFTables', '"yes"', 'true or false'],
  [{ Network: network, EnableIPv4: false }, 'EnableIPv4', 'without IPv4', 'accepted is true'],
  [{ EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00::/48' }, 'EnableIPv6', 'not supported'],
  [{ Network: network, EnableIPv6: true }, 'EnableIPv6', 'not supported yet'],
  [{ Network: network, IPv6Network: 'fd00::' }, 'IPv6Network', 'please define a correct IPv6Network'],
  [{ Network: network, IPv6SubnetMin: '10.5.0.0' }, 'IPv6SubnetMin', '"10.5.0.0"'],
  [[], '', 'not an object'],
  [null, '', 'not an object'],
];

for (const [json, field, ...says] of refused) {
  test(`refused, naming field, value and what is accepted: ${JSON.stringify(json)}`, (t) => {
    const error = refusal(json);
    t.is(error.field, field);
    t.is(error.source, 'test');
    for (const part of says) t.true(error.message.includes(part), error.message);
  });
}

const refusedV6: [json: object, field: string, says: string][] = [
  [{ IPv6SubnetLen: 127 }, 'IPv6SubnetLen', 'SubnetLen must be less than /127'],
  [{ IPv6SubnetLen: 49 }, 'IPv6SubnetLen', 'at least four subnets'],
  [
    { IPv6Network: 'fd00::/125' },
    'IPv6Network',
    'IPv6Network is too small. Minimum useful network prefix is /124',
  ],
  [{ IPv6SubnetMin: 'fd01::' }, 'IPv6SubnetMin', 'IPv6SubnetMin is not in the range of the IPv6Network'],
  [{ IPv6SubnetMax: 'fd00::1' }, 'IPv6SubnetMax', 'not on a SubnetLen boundary: fd00::1'],
  [{}, 'EnableIPv6', 'not supported yet'],
];

for (const [json, field, says] of refusedV6) {
  test(`IPv6 fields are checked before IPv6 itself is refused: ${JSON.stringify(json)}`, (t) => {
    const error = refusal({ Network: network, EnableIPv6: true, IPv6Network: 'fd00::/48', ...json });
    t.is(error.field, field);
    t.true(error.message.includes(says), error.message);
  });
}

test('IPv6 fields without EnableIPv6 change nothing, as with flannel', (t) => {
  const config = { Network: network, IPv6Network: 'fd00::/48', IPv6SubnetLen: 127 };
  t.is(summary(config), summary({ Network: network }));
});

test('text that is not JSON is refused with an example of what is', (t) => {
  const error = t.throws(() => parseNetworkConfig('{"Network": ', 'etcd key /x'), {
    instanceOf: ConfigError,
  });
  t.is(error.source, 'etcd key /x');
  t.regex(error.message, /is not JSON.*"Network": "10\.5\.0\.0\/16"/);
});

const octets = fc.ipV4();
const anyConfig = fc.record(
  {
    Network: fc.oneof(
      fc.tuple(octets, fc.integer({ min: 0, max: 33 })).map(([ip, length]) => `${ip}/${length}`),
      fc.jsonValue(),
    ),
    SubnetLen: fc.oneof(fc.integer({ min: -1, max: 33 }), fc.jsonValue()),
    SubnetMin: fc.oneof(octets, fc.jsonValue()),
    SubnetMax: fc.oneof(octets, fc.jsonValue()),
    EnableIPv4: fc.oneof(fc.boolean(), fc.jsonValue()),
    EnableIPv6: fc.oneof(fc.boolean(), fc.jsonValue()),
    IPv6Network: fc.oneof(fc.ipV6(), fc.jsonValue()),
    IPv6SubnetLen: fc.oneof(fc.nat(), fc.jsonValue()),
    Backend: fc.oneof(fc.constant(vxlan), fc.jsonValue()),
  },
  { requiredKeys: [] },
);

function accepts(text: string): boolean {
  try {
    parseNetworkConfig(text, 'test');
    return true;
  } catch (error) {
    if (error instanceof ConfigError && error.message !== '') return false;
    throw error;
  }
}

test('no text is answered with anything but a config or a ConfigError', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyConfig.map((json) => JSON.stringify(json)),
        fc.json(),
        fc.string(),
      ),
      (text) => {
        accepts(text);
      },
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

/** Configs that are accepted more often than not: ends are picked on the grid of subnets. */
const likelyConfig = fc
  .record({
    address: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    length: fc.integer({ min: 1, max: 28 }),
    longer: fc.integer({ min: 2, max: 12 }),
    min: fc.nat({ max: 3 }),
    max: fc.option(fc.nat({ max: 4095 })),
  })
  .map(({ address, length, longer, min, max }) => {
    const subnetLength = Math.min(length + longer, 30);
    const size = prefixSize(subnetLength);
    const base = Math.floor(address / prefixSize(length)) * prefixSize(length);
    const end = (index: number) => formatIpv4((base + index * size) % 2 ** 32);
    return {
      Network: `${formatIpv4(address)}/${length}`,
      SubnetLen: subnetLength,
      SubnetMin: end(min),
      ...(max === null ? {} : { SubnetMax: end(max) }),
    };
  });

test('an accepted config has at least one subnet, whole and aligned, inside the pool', (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(likelyConfig, (json) => {
      fc.pre(accepts(JSON.stringify(json)));
      accepted++;
      const { network: pool, subnetLength, subnetMin, subnetMax } = parse(json);
      const size = prefixSize(subnetLength);
      t.is(pool.address % prefixSize(pool.length), 0);
      t.true(subnetLength >= pool.length + 2 && subnetLength <= 30);
      t.true(subnetMin <= subnetMax);
      for (const address of [subnetMin, subnetMax]) {
        t.is(address % size, 0);
        t.true(contains(pool, { address, length: subnetLength }));
      }
      t.is(subnetMin, parseIpv4(json.SubnetMin) || pool.address + size);
    }),
  );
  t.true(accepted > 0);
});
