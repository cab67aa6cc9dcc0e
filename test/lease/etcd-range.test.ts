/** Pages of a range, asked of an etcd that is a list; what a real one has in them, test/etcd shows. */
import test from 'ava';
import type { IKeyValue, IRangeRequest, KVClient } from 'etcd3';
import { readRange } from '../../src/lease/etcd-range.js';

/** Values of these lengths, in answers of at most `longest` together. */
function listOf(lengths: readonly number[], longest: number) {
  const limits: number[] = [];
  const kvs = lengths.map(
    (length, at) =>
      ({ key: Buffer.from(`x/${String(at).padStart(5, '0')}`), value: Buffer.alloc(length) }) as IKeyValue,
  );
  const range = async ({ key, limit }: IRangeRequest) => {
    limits.push(Number(limit));
    const rest = kvs.filter((kv) => Buffer.compare(kv.key, key!) >= 0);
    const page = rest.slice(0, Number(limit));
    const size = page.reduce((sum, { value }) => sum + value.length, 0);
    if (size > longest) throw new Error(`Received message larger than max (${size} vs ${longest})`);
    return { header: { revision: '7' }, kvs: page, more: rest.length > page.length };
  };
  return { kv: { range } as unknown as KVClient, limits };
}

const query = { prefix: 'x/', keysOnly: false };

test('a page that is too long is asked for with fewer keys, and all are read in order', async (t) => {
  const lengths = Array.from({ length: 3_000 }, (_, at) => (at >= 700 && at < 720 ? 1_000 : 1));
  const { kv, limits } = listOf(lengths, 3_000);
  const { entries } = await readRange(kv, query, ({ key }) => key.toString());
  t.is(entries.length, 3_000);
  t.deepEqual(entries, entries.toSorted());
  t.is(limits[0], 500);
  t.true(Math.min(...limits) <= 3);
  t.is(Math.max(...limits.slice(-2)), 500);
});

test('a single value that is too long ends it, with the reason', async (t) => {
  const { kv } = listOf([1, 9_000, 1], 3_000);
  await t.throwsAsync(
    readRange(kv, query, () => 0),
    { message: /larger than max \(9000 vs 3000\)/ },
  );
});
