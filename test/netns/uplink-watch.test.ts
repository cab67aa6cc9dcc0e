/** The uplink changes under a watch, by the means that people and DHCP clients have. */
import test from 'ava';
import { findUplink, type UplinkRequest } from '../../src/agent/uplink/uplink.js';
import { uplinkChanged } from '../../src/agent/uplink/uplink-watch.js';
import { canIsolate, isolateKernel, UPLINK } from './isolated-kernel.js';

const REQUEST: UplinkRequest = {
  iface: [UPLINK],
  ifaceRegex: [],
  ifaceCanReach: undefined,
  publicIp: undefined,
};

const changes: [what: string, script: string, reason: RegExp][] = [
  ['mtu', `ip link set ${UPLINK} mtu 1400`, /^MTU 1400, was 1500$/],
  [
    'address',
    `ip address flush dev ${UPLINK}; sleep 0.4; ip address add 192.168.9.77/24 dev ${UPLINK}`,
    /^address 192\.168\.9\.77, was 192\.168\.9\.2; public IP 192\.168\.9\.77, was 192\.168\.9\.2$/,
  ],
  [
    'recreation',
    `ip link del ${UPLINK}; sleep 0.4; ip link add ${UPLINK} type veth peer name peer0
     ip address add 192.168.9.2/24 dev ${UPLINK}; ip link set ${UPLINK} up`,
    /^index \d+, was \d+$/,
  ],
];

for (const [what, script, reason] of changes)
  (canIsolate ? test.serial : test.serial.skip)(
    `${what} of a real uplink is seen, and a cable is not`,
    async (t) => {
      const { kernel, shell, dispose } = await isolateKernel();
      t.teardown(dispose);
      const signal = AbortSignal.timeout(10_000);
      const { uplink } = await findUplink(REQUEST, kernel, signal);
      const change = uplinkChanged({ kernel, request: REQUEST, uplink, resyncMs: 60_000 }, signal);
      await shell(`ip link set ${UPLINK} down; sleep 0.3; ip link set ${UPLINK} up; sleep 0.3`);
      const begun = performance.now();
      await shell(script);
      t.regex((await change).reason, reason);
      t.true(performance.now() - begun < 2_000);
    },
  );
