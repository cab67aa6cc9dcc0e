import test from 'ava';
import { byShell, kernelContract } from '../contract/kernel.js';
import { canIsolate, isolateKernel, UPLINK } from './isolated-kernel.js';

kernelContract(canIsolate ? test.serial : test.skip, 'real kernel', async () => {
  const { kernel, shell, dispose } = await isolateKernel();
  const setUplink = async (up: boolean) => {
    await shell(`ip link set ${UPLINK} ${up ? 'up' : 'down'}`);
  };
  const rename = async (from: string, to: string) => {
    // Older kernels rename no link that is up.
    await shell(`ip link set ${from} name ${to} || {
      ip link set ${from} down; ip link set ${from} name ${to}; ip link set ${to} up; }`);
  };
  return { kernel, uplink: UPLINK, byHand: byShell(shell), rename, setUplink, dispose };
});
