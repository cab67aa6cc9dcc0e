import type { ExecutionContext } from 'ava';
import type { LabHost } from '../../src/lab/host.js';
import { Pinger } from '../../src/lab/pinger.js';
import { waitFor } from '../../src/lab/wait.js';

/** Answers before and after the event, a millisecond each. */
const ENOUGH = 200;

/** Holds that pings from the first host's container to the second's, a thousand a second, all come back meanwhile. */
export async function losesNothing(
  t: ExecutionContext,
  [from, to]: readonly LabHost[],
  body: () => Promise<void>,
): Promise<void> {
  const pinger = await Pinger.start(from!.container!.namespace, to!.container!.address);
  const more = () => {
    const enough = pinger.received + ENOUGH;
    return waitFor('more answers', () => pinger.received > enough);
  };
  try {
    await more();
    await body();
    await more();
  } finally {
    const { sent, lost } = await pinger.stop();
    t.is(lost, 0, `of ${sent} packets`);
  }
}
