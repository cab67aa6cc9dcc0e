import test from 'ava';
import { backendFor, backendTypes } from '../../src/backend/registry.js';
import { ConfigError } from '../../src/errors.js';

test('a type is found in any case', (t) => {
  t.is(backendFor('VXLAN').type, 'vxlan');
  t.is(backendFor('Host-GW').type, 'host-gw');
});

for (const [type, phrase] of [
  ['wireguard', "flannel's wireguard backend"],
  ['', 'unknown backend type: '],
  ['carrier-pigeon', 'unknown backend type: carrier-pigeon'],
] as const) {
  test(`the type "${type}" is refused, and the error lists what there is`, (t) => {
    const error = t.throws(() => backendFor(type), { instanceOf: ConfigError });
    t.is(error.field, 'Backend.Type');
    t.true(error.message.includes(phrase), error.message);
    for (const known of backendTypes) t.true(error.message.includes(known));
  });
}
