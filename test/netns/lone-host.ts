/**
 * A host of its own, with an etcd and without a lab:
 *
 *     ┌ host ──────────────────────────────────────┐
 *     │ etcd at 127.0.0.1        eth0 192.0.2.1/24 ├── wire0, the other end of a veth
 *     └────────────────────────────────────────────┘
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Etcd } from '../../src/lab/etcd.js';
import { Namespace } from '../../src/lab/namespace.js';

export interface LoneHost {
  readonly namespace: Namespace;
  readonly etcd: Etcd;
  /** For the test's files. */
  readonly directory: string;
}

let made = 0;

/** It goes when the test ends. */
export async function loneHost(t: ExecutionContext): Promise<LoneHost> {
  const namespace = new Namespace(`loden-test-${process.pid}-lone-${++made}`);
  const directory = await mkdtemp(join(tmpdir(), 'loden-lone-'));
  t.teardown(async () => {
    await namespace.delete();
    await rm(directory, { recursive: true, force: true });
  });
  await namespace.create();
  await namespace.ip(
    'link add eth0 type veth peer name wire0',
    'link set eth0 up',
    'link set wire0 up',
    'address add 192.0.2.1/24 dev eth0',
    'route add default via 192.0.2.254',
  );
  const etcd = await Etcd.start({ directory: join(directory, 'etcd'), namespace });
  t.teardown(() => etcd.stop());
  return { namespace, etcd, directory };
}
