import test from 'ava';
import { byShell, kernelContract } from '../contract/kernel.js';
import { canIsolate, isolateKernel, UPLINK } from './isolated-kernel.js';

kernelContract(canIsolate ? test.serial : test.skip, 'real kernel', async () => {
  const { kernel, shell, dispose } = await isolateKernel();
  const setUplink = async (up: boolean) => {
    await shell(`ip link set ${UPLINK} ${up ? 'up' : 'down'}`);
  };
  return { kernel, uplink: UPLINK, byHand: byShell(shell), setUplink, dispose };
});
