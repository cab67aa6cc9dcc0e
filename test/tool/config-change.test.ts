import test from 'ava';
import { checkConfig } from '../../src/backend/checked-config.js';
import { consequencesOf, describeStranded, laidOut } from '../../src/tool/config-change.js';
import { effectiveConfig, summariseConfig } from '../../src/tool/config-summary.js';
import { peerLease } from '../backend/views.js';

function config(json: object) {
  return checkConfig(JSON.stringify({ Network: '10.5.0.0/16', Backend: { Type: 'vxlan' }, ...json }), 'test');
}

const leases = ['10.5.1.0/24', '10.5.200.0/24', '10.9.1.0/24'].map((subnet, i) =>
  peerLease(subnet, `192.0.2.${i + 1}`, 'vxlan'),
);

test('leases that the new pool has no place for are stranded, those that never fitted are not', (t) => {
  const { stranded, warnings } = consequencesOf(leases, config({}), config({ Network: '10.5.0.0/19' }));
  t.deepEqual(describeStranded(stranded), ['10.5.200.0/24 of 192.0.2.2 is none of 10.5.1.0 to 10.5.31.0']);
  t.is(warnings.length, 1);
  t.regex(warnings[0]!, /^1 lease is stranded/);
});

test('another subnet length strands all', (t) => {
  const { stranded, warnings } = consequencesOf(leases, config({}), config({ SubnetLen: 25 }));
  t.deepEqual(
    stranded.map(({ reason }) => reason),
    ['is a /24, not a /25', 'is a /24, not a /25'],
  );
  t.regex(warnings[0]!, /^2 leases are stranded/);
});

test('without an old config every lease is looked at', (t) => {
  t.is(consequencesOf(leases, undefined, config({})).stranded.length, 1);
});

test('a pool that grows strands none', (t) => {
  t.deepEqual(consequencesOf(leases, config({}), config({ Network: '10.4.0.0/15' })), {
    stranded: [],
    warnings: [],
  });
});

test('another backend, or the same with other options, is a warning if there are hosts', (t) => {
  for (const backend of [{ Type: 'host-gw' }, { Type: 'vxlan', VNI: 2 }]) {
    const next = config({ Backend: backend });
    t.regex(consequencesOf(leases.slice(0, 1), config({}), next).warnings.join(), /^the backend changes/);
    t.deepEqual(consequencesOf([], config({}), next).warnings, []);
  }
  t.deepEqual(
    consequencesOf(leases, config({}), config({ Backend: { type: 'VXLAN', vni: 1 } })).warnings,
    [],
  );
});

test('of many stranded leases a few are named and the others counted', (t) => {
  const many = Array.from({ length: 7 }, (_, i) => peerLease(`10.5.20${i}.0/24`, '192.0.2.1', 'vxlan'));
  const { stranded } = consequencesOf(many, config({}), config({ Network: '10.5.0.0/19' }));
  const lines = describeStranded(stranded);
  t.is(lines.length, 6);
  t.is(lines.at(-1), 'and 2 more');
});

test('texts that differ in layout only are laid out alike', (t) => {
  t.is(laidOut('{"a":1}'), laidOut('{\n  "a": 1 }\n'));
  t.is(laidOut('not json\n'), 'not json');
});

test('a config is told with what its defaults come to', (t) => {
  const checked = config({ Backend: { Type: 'vxlan', Vnii: 1 } });
  t.is(
    summariseConfig(checked),
    '10.5.0.0/16: 255 subnets /24, 10.5.1.0 to 10.5.255.0; ' +
      'vxlan vni=1 port=8472 gbp=false learning=false directRouting=false',
  );
  t.like(effectiveConfig(checked), { subnets: 255, backend: { type: 'vxlan' } });
  t.regex(checked.warnings.join(), /Backend\.Vnii .*did you mean Backend\.VNI/);
});

test("a backend's complaint names the source as the parser's own do", (t) => {
  const error = t.throws(() => config({ Backend: { Type: 'vxlan', VNI: 'one' } }));
  t.like(error, { field: 'Backend.VNI', source: 'test' });
});
