/** Many hosts claim a subnet at the same moment: each the real acquire() over an EtcdStore of its own. */
import { Etcd3 } from 'etcd3';
import pino from 'pino';
import { parseNetworkConfig } from '../../src/config/network.js';
import { acquire } from '../../src/lease/acquire.js';
import { systemClock } from '../../src/lease/clock.js';
import { leasePath } from '../../src/lease/codec.js';
import { etcdOptions } from '../../src/lease/etcd-options.js';
import { EtcdStore } from '../../src/lease/etcd-store.js';
import type { LeaseAttributes } from '../../src/lease/lease.js';
import type { ClaimResult } from '../../src/lease/store.js';
import { formatPrefix, type Prefix } from '../../src/net/prefix.js';
import { monotonicMs } from '../clock.js';
import { answer } from './answer.js';

export interface ClaimInput {
  readonly endpoint: string;
  readonly prefix: string;
  /** The network config's JSON. */
  readonly config: string;
  /** The hosts' public IPs. */
  readonly publicIps: readonly string[];
  /** Only what etcd has to do at least: a lease granted and a key created, nobody racing, for each host. */
  readonly bare: boolean;
}

export interface ClaimOutput {
  /** Until the last one has its subnet. */
  readonly ms: number;
  /** Empty when bare. */
  readonly subnets: readonly string[];
  readonly lostRaces: number;
}

const TTL_SECONDS = 3600;

/** Counts the claims that came to nothing. */
class CountingStore extends EtcdStore {
  lost = 0;

  override async claim(
    subnet: Prefix,
    attributes: LeaseAttributes,
    ttlSeconds: number,
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    const result = await super.claim(subnet, attributes, ttlSeconds, signal);
    if (result.kind === 'taken') this.lost += 1;
    return result;
  }
}

async function claimAtOnce(input: ClaimInput): Promise<ClaimOutput> {
  const { config: network } = parseNetworkConfig(input.config, 'the benchmark');
  const options = await etcdOptions({
    endpoints: input.endpoint,
    prefix: input.prefix,
    keyFile: '',
    certFile: '',
    caFile: '',
    username: '',
    password: '',
  });
  const { signal } = new AbortController();
  const stores = input.publicIps.map(() => new CountingStore(options));
  const began = monotonicMs();
  const acquired = await Promise.all(
    input.publicIps.map((publicIp, index) =>
      acquire({
        store: stores[index]!,
        network,
        host: { publicIp, identity: publicIp, boot: 'bench' },
        previousSubnet: undefined,
        forbidden: [],
        attributesFor: () => ({ publicIp, publicIpV6: null, backendType: '' }),
        ttlSeconds: TTL_SECONDS,
        random: Math.random,
        clock: systemClock,
        log: pino({ level: 'silent' }),
        signal,
      }),
    ),
  );
  const ms = monotonicMs() - began;
  for (const store of stores) store.close();
  return {
    ms,
    subnets: acquired.map(({ lease }) => formatPrefix(lease.subnet)),
    lostRaces: stores.reduce((sum, store) => sum + store.lost, 0),
  };
}

async function bareClaims({ endpoint, prefix, publicIps }: ClaimInput): Promise<ClaimOutput> {
  const etcd = new Etcd3({ hosts: endpoint });
  const began = monotonicMs();
  await Promise.all(
    publicIps.map(async (publicIp) => {
      const { ID: lease } = await etcd.leaseClient.leaseGrant({ TTL: TTL_SECONDS });
      const key = Buffer.from(leasePath(prefix, `${publicIp}-32`));
      await etcd.kv.txn({
        compare: [{ key, target: 'Version', result: 'Equal', version: 0 }],
        success: [{ request_put: { key, value: Buffer.from(publicIp), lease } }],
      });
    }),
  );
  const ms = monotonicMs() - began;
  etcd.close();
  return { ms, subnets: [], lostRaces: 0 };
}

answer((input: ClaimInput) => (input.bare ? bareClaims(input) : claimAtOnce(input)));
