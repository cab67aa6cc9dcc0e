import test from 'ava';
import type { Change } from '../../src/kernel/kernel.js';
import { keyOf } from '../../src/kernel/objects.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { kernelContract } from '../contract/kernel.js';
import { FakeKernel } from '../fakes/kernel.js';

kernelContract(test, 'fake kernel', async () => {
  const network = parsePrefix('192.168.9.0/24')!;
  const kernel = new FakeKernel([
    { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [{ address: '192.168.9.2', network }] },
  ]);
  return {
    kernel,
    uplink: 'eth0',
    byHand: async ({ kind, object }: Change) =>
      kind === 'remove' ? kernel.meddle.delete(keyOf(object)) : kernel.meddle.set(object),
    rename: async (from, to) => kernel.meddle.rename(from, to),
    setUplink: async (up) => kernel.meddle.setUplink('eth0', up),
    dispose: async () => kernel.close(),
  };
});
