/** lodend carries the packets itself: how soon they flow again when it has ended. */
import type { ExecutionContext } from 'ava';
import type { Daemon } from '../../src/lab/daemon.js';
import type { Lab } from '../../src/lab/lab.js';
import { command } from '../../src/lab/namespace.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, sharedLab } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { picture } from './picture.js';

const theLab = sharedLab({ backend: 'udp' });

const RESUMED_WITHIN_MS = 500;
const IDLE_START_MS = 60;

/** Pings every 10 ms from the first host's container to the second's; answers by the time at which they came. */
class Answers {
  readonly #process: Process;

  private constructor(process: Process) {
    this.#process = process;
  }

  static async start(t: ExecutionContext, lab: Lab): Promise<Answers> {
    const [from, to] = lab.hosts;
    const answers = new Answers(
      await Process.start({
        namespace: from!.container!.namespace,
        words: ['ping', '-D', '-n', '-i', '0.01', to!.container!.address],
        logFile: `${from!.directory}-ping.log`,
      }),
    );
    t.teardown(() => answers.#process.stop());
    await waitFor('answers', async () => (await answers.#times()).length > 20);
    return answers;
  }

  /** When the first answer came after that moment, in milliseconds since 1970. */
  async firstAfter(moment: number): Promise<number> {
    return waitFor('an answer', async () => (await this.#times()).find((time) => time > moment));
  }

  async #times(): Promise<number[]> {
    const text = await this.#process.log();
    return [...text.matchAll(/^\[([\d.]+)\].* icmp_seq=/gm)].map((match) => 1000 * Number(match[1]));
  }
}

/** What of a TUN device and its route shows whether a process is attached. */
const ATTACHED = /,LOWER_UP|NO-CARRIER,|numqueues \d+| linkdown/g;

/** What kernel and etcd show, whether or not a daemon runs. */
async function shown(lab: Lab) {
  const kernel = await picture(lab.host('h1').namespace);
  return [kernel.replace(ATTACHED, ''), await leaseEntries(lab)];
}

/** Ends lodend, starts it again, and says how long after the end the first answer came, in milliseconds. */
async function restartUnder(answers: Answers, daemon: Daemon): Promise<number> {
  await daemon.stop();
  const ended = Date.now();
  await daemon.start();
  return (await answers.firstAfter(ended)) - ended;
}

/** How long Node takes to do nothing now, in milliseconds: 50 where nobody else has the processors. */
async function idleStart(): Promise<number> {
  const begun = performance.now();
  await command([process.execPath, '-e', '0']);
  return performance.now() - begun;
}

/** Where other tests have the processors, as many times as long as Node itself takes longer. */
async function resumesInTime(t: ExecutionContext, restart: () => Promise<number>): Promise<void> {
  const before = await idleStart();
  const took = await restart();
  const idle = Math.max(before, await idleStart());
  t.log(`${Math.round(took)} ms; node -e 0 took ${Math.round(idle)} ms`);
  t.true(took < RESUMED_WITHIN_MS * Math.max(1, idle / IDLE_START_MS));
}

labTest('while lodend is ended its kernel is as before, and after a restart too', async (t) => {
  const lab = theLab();
  const { daemon } = lab.host('h1');
  const before = await shown(lab);
  await daemon.stop();
  t.deepEqual(await shown(lab), before);
  await daemon.start();
  await daemon.ready();
  t.deepEqual(await shown(lab), before);
});

labTest('after a restart packets flow within half a second', async (t) => {
  const lab = theLab();
  const { daemon } = lab.host('h1');
  const answers = await Answers.start(t, lab);
  await resumesInTime(t, async () => {
    const took = await restartUnder(answers, daemon);
    await daemon.ready();
    return took;
  });
  t.regex(await daemon.log(), /packet path resumed from the last known state subnet=\S+ peers=1/);
});

labTest('after a restart while etcd is away they do too, and go on when it is back', async (t) => {
  const lab = theLab();
  const { daemon } = lab.host('h1');
  const answers = await Answers.start(t, lab);
  await lab.etcd.stop();
  await resumesInTime(t, () => restartUnder(answers, daemon));
  await lab.etcd.start();
  await daemon.ready();
  const back = Date.now();
  t.true((await answers.firstAfter(back)) > back);
});

labTest('a path that another config asks for is another one, opened in its place', async (t) => {
  const lab = theLab();
  const { hosts } = lab;
  const Backend = { Type: 'udp', Port: 9285 };
  await lab.etcd.ctl(
    'put',
    '/coreos.com/network/config',
    JSON.stringify({ Network: '10.77.0.0/16', Backend }),
  );
  for (const { daemon } of hosts) await daemon.restart();
  await lab.untilAllReach();
  t.regex(await hosts[0]!.daemon.log(), /path: packet path is open .*port=9285/);
});
