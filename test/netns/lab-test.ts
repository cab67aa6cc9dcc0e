/** Tests on labs: they need root, run one after the other within a file, and leave no lab behind. */
import test, { type ExecutionContext } from 'ava';
import type { LabHost } from '../../src/lab/host.js';
import { Lab } from '../../src/lab/lab.js';
import type { LabOptions } from '../../src/lab/options.js';

const isRoot = process.getuid?.() === 0;

export const labTest = isRoot ? test.serial : test.serial.skip;

/** Of a network with hosts of flanneld: the binary that the environment variable FLANNELD names, 0.20 or later. */
export const mixedTest = process.env.FLANNELD ? labTest : test.serial.skip;

/** A lab for one test. */
export async function labFor(t: ExecutionContext, options: LabOptions = {}): Promise<Lab> {
  const lab = await Lab.up(options);
  t.teardown(() => lab.down());
  return lab;
}

/** A lab for all tests of a file, made before the first of them. */
export function sharedLab(options: LabOptions = {}): () => Lab {
  let lab: Lab | undefined;
  if (isRoot) {
    test.before(async () => {
      lab = await Lab.up(options);
    });
    test.after.always(() => lab?.down());
  }
  return () => {
    if (lab === undefined) throw new TypeError('the lab is made before the first test of the file');
    return lab;
  };
}

/** `10.77.5.0/24`, out of `10.77.5.2` of the container. */
export function subnetOf(host: LabHost): string {
  return host.container!.address.replace(/\d+$/, '0/24');
}

/** How often something is in a text. */
export function occurrences(text: string, what: string | RegExp): number {
  return text.split(what).length - 1;
}
