/**
 * A real kernel that a test may do anything to: a child process in a network namespace of its own, which serves the
 * Kernel port over Node's IPC. The namespace lives as long as the child, and the child as long as the test process,
 * so nothing is left behind however a test ends.
 *
 *   test process ── RemoteKernel ══ IPC ══ NetlinkKernel ── namespace [ eth0 192.168.9.2/24 ══ veth ══ peer0 ]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { RemoteKernel } from './remote-kernel.js';

export const UPLINK = 'eth0';
const UPLINK_ADDRESS = '192.168.9.2';

export interface IsolatedKernel {
  readonly kernel: RemoteKernel;
  /** Runs a shell command in the namespace; what it printed. Rejects when it fails. */
  readonly shell: (command: string) => Promise<string>;
  /** Halts the process that serves the kernel, until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly dispose: () => Promise<void>;
}

export const canIsolate = process.getuid?.() === 0;

export async function isolateKernel(): Promise<IsolatedKernel> {
  const child = fork(fileURLToPath(new URL('./kernel-child.js', import.meta.url)), {
    execPath: 'unshare',
    execArgv: ['--net', process.execPath, '--enable-source-maps'],
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  const kernel = new RemoteKernel(child);
  const dispose = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await Promise.race([
      once(child, 'message'),
      exited.then(() => {
        throw new Error('the process in the namespace ended at once');
      }),
    ]);
    const shell = async (command: string) =>
      (await execa('nsenter', ['-t', String(child.pid), '--net', 'sh', '-ec', command])).stdout;
    await shell(`ip link set lo up
      ip link add ${UPLINK} type veth peer name peer0
      ip address add ${UPLINK_ADDRESS}/24 dev ${UPLINK}
      ip link set ${UPLINK} up
      ip link set peer0 up`);
    const pause = () => void child.kill('SIGSTOP');
    const resume = () => void child.kill('SIGCONT');
    return { kernel, shell, pause, resume, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
