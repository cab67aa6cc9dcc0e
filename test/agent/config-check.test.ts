import test from 'ava';
import { ConfigCheck } from '../../src/agent/config-check.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';
import { recordingLog } from '../fakes/log.js';
import { until } from '../until.js';

const OURS = '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}';
const OTHER = '{"Network":"10.6.0.0/16","Backend":{"Type":"vxlan"}}';

function setUp(config: string | undefined) {
  const etcd = new FakeEtcd();
  etcd.config = config;
  const { log, lines } = recordingLog();
  const store = new FakeLeaseStore(etcd);
  const check = new ConfigCheck({ store, configText: OURS, configSource: 'etcd key /x/config', log });
  return { etcd, lines, found: check.otherConfig(new AbortController().signal) };
}

test('the config that we run on is confirmed without a word', async (t) => {
  const { lines, found } = setUp(OURS);
  t.is(await found, undefined);
  t.deepEqual(lines, []);
});

test('another config is found', async (t) => {
  t.is(await setUp(OTHER).found, OTHER);
});

test('a missing config is waited for, and what to do about it is told', async (t) => {
  const { etcd, lines, found } = setUp(undefined);
  await until(t, 'a word', () => lines.length === 1);
  t.is(lines[0]!.msg, 'waiting for the network config');
  t.regex(String(lines[0]!.reason), /no usable etcd key \/x\/config; .*loden config set FILE/);
  etcd.config = OURS;
  t.is(await found, undefined);
});

test('a config that cannot be used is told of by its field, and waited out', async (t) => {
  const { etcd, lines, found } = setUp('{"Network":"10.6.0.0/16","Backend":{"Type":"vxlam"}}');
  await until(t, 'a word', () => lines.length === 2);
  t.regex(String(lines[0]!.error), /Backend\.Type.*vxlam|vxlam.*Backend\.Type/);
  etcd.config = OTHER;
  t.is(await found, OTHER);
  t.is(lines.filter(({ level }) => level === 'error').length, 1);
});
