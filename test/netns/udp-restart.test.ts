/** lodend carries the packets itself: how soon they flow again when it has ended. */
import type { ExecutionContext } from 'ava';
import type { Lab } from '../../src/lab/lab.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, sharedLab } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { picture } from './picture.js';

const theLab = sharedLab({ backend: 'udp' });

const RESUMED_WITHIN_MS = 500;

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

labTest('after a restart packets flow within half a second, and nothing has changed', async (t) => {
  const lab = theLab();
  const { daemon } = lab.host('h1');
  const before = await shown(lab);
  const answers = await Answers.start(t, lab);
  await daemon.stop();
  const ended = Date.now();
  t.deepEqual(await shown(lab), before);
  await daemon.start();
  const resumed = (await answers.firstAfter(ended)) - ended;
  t.log(`${Math.round(resumed)} ms`);
  t.true(resumed < RESUMED_WITHIN_MS, `${resumed} ms`);
  await daemon.ready();
  t.deepEqual(await shown(lab), before);
});
