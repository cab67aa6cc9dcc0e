/** Makes faults happen under traffic, one after the other, and holds what was promised against what came of it. */
import test, { type ExecutionContext } from 'ava';
import { untilWhole } from '../../src/lab/inspect.js';
import type { Lab } from '../../src/lab/lab.js';
import { type PingCount, Traffic } from '../../src/lab/traffic.js';
import { labTest, sharedLab } from '../netns/lab-test.js';
import { type Fault, type FaultGroup, type FaultResult, FLAGS, OUTAGE_TTLS, TTL_SECONDS } from './fault.js';
import { writeResults } from './results.js';

/** To find the cause; what is promised is shorter, and is compared. */
const PATIENCE_MS = 20_000;

/** Registers a test for each fault. */
export function endure(group: FaultGroup): void {
  const results: FaultResult[] = [];
  const theLab = sharedLab({ backend: group.backend, flags: FLAGS, ...group.lab });
  for (const fault of group.faults)
    labTest(title(group, fault), async (t) => {
      const result = { what: fault.what, backend: group.backend, ...(await suffer(theLab(), fault, t)) };
      results.push(result);
      t.log(JSON.stringify(result));
      t.is(result.lost, 0, `of ${result.sent} pings`);
      t.true(
        (result.lostThrough ?? 0) <= (fault.mayLose ?? 0),
        `${result.lostThrough} pings lost through h1`,
      );
      t.true(result.secondsUntilWhole <= (fault.wholeWithinSeconds ?? 5), `${result.secondsUntilWhole} s`);
    });
  test.after.always(() => writeResults(group.name, results));
}

function title({ backend }: FaultGroup, { what, mayLose }: Fault): string {
  return `${backend}: ${what}, and ${mayLose === undefined ? 'no packet is lost' : 'no packet between the other hosts is lost'}`;
}

type Suffered = Omit<FaultResult, 'what' | 'backend'>;

async function suffer(lab: Lab, fault: Fault, t: ExecutionContext): Promise<Suffered> {
  await untilWhole(lab, PATIENCE_MS);
  const [h1, ...others] = lab.hosts;
  const through = await Traffic.on(fault.befalls ? [[others[0]!, h1!]] : []);
  const around = await Traffic.around(fault.befalls ? others : lab.hosts);
  const ends: Promise<PingCount>[] = [];
  const before = await Promise.all(lab.hosts.map(({ daemon }) => daemon.log()));
  try {
    await Promise.all([around.flows(), through.flows()]);
    const pass = (seconds: number) => around.pass(seconds);
    await fault.strike({ lab, h1: h1!, pass, outlast: () => pass(TTL_SECONDS * OUTAGE_TTLS) });
    const secondsUntilWhole = await untilWhole(lab, PATIENCE_MS);
    await Promise.all([around.flows(), through.flows()]);
    ends.push(around.stop(), through.stop());
    const [{ sent, lost }, by] = (await Promise.all(ends)) as [PingCount, PingCount];
    if (fault.says) t.regex(await said(lab, before), fault.says);
    return {
      sent,
      lost,
      ...(fault.befalls ? { sentThrough: by.sent, lostThrough: by.lost } : {}),
      secondsUntilWhole: Number(secondsUntilWhole.toFixed(1)),
    };
  } catch (error) {
    t.log(await said(lab, before));
    throw error;
  } finally {
    await mend(lab);
    if (ends.length === 0) await Promise.all([around.stop(), through.stop()]).catch(() => undefined);
  }
}

/** For the next fault, whatever became of this one. */
async function mend(lab: Lab): Promise<void> {
  await lab.wire.disturb();
  lab.etcd.resume();
  for (const { daemon } of lab.hosts) daemon.signal('SIGCONT');
}

/** What the daemons have said since. */
async function said(lab: Lab, before: readonly string[]): Promise<string> {
  const texts = lab.hosts.map(async ({ name, daemon }, index) => {
    const log = await daemon.log();
    return `${name}\n${log.slice(before[index]!.length)}`;
  });
  return (await Promise.all(texts)).join('\n');
}
