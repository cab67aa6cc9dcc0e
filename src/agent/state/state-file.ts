/**
 * The last that this host knew, so that it can start while etcd is away: the network's config, our lease and when etcd
 * last granted it, and everybody's leases. One file, `last-known` in the state folder:
 *
 *     loden last-known 1                                      the version of this form
 *     {"etcdPrefix":…,"config":…,"revision":…,"lease":…}      what there is one of
 *     {"key":"10.5.34.0-24","leaseId":…,"value":…}            a lease, as many lines as there are
 *     sha256 9f86d081…                                        of all bytes before this line
 *
 * It is written whole, and believed whole or not at all. Lines are made and read a slice at a time: with 10,000 leases
 * the file has 2.5 MB, and the event loop must not be held up for that.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openRegular, readRegular } from '../../files/read-regular.js';
import { errnoOf, writeWhole } from '../../files/write-whole.js';
import { isJsonObject, type JsonValue } from '../../json.js';
import { decodeAttributes, encodeAttributes, leaseKey, parseLeaseKey } from '../../lease/codec.js';
import type { Lease } from '../../lease/lease.js';
import type { LeaseKey } from '../../lease/store.js';
import type { Moment } from './moment.js';

export interface KnownState {
  /** Of which network this is: the daemon may have been pointed to another one since. */
  readonly etcdPrefix: string;
  readonly configText: string;
  /** Ours. */
  readonly lease: Lease;
  readonly ttlSeconds: number;
  /** Not later than etcd last granted our lease its whole TTL. */
  readonly renewed: Moment;
  /** All that there are; ours may be among them. */
  readonly leases: ReadonlyMap<LeaseKey, Lease>;
  /** The etcd revision that they show. */
  readonly revision: number;
}

/** Nothing where there is no file; a warning, that names it and says what is wrong, where it cannot be used. */
export interface ReadState {
  readonly state?: KnownState;
  readonly warning?: string;
}

const VERSION_LINE = 'loden last-known 1';

/** More than the first two lines have, but for an unusual config. */
const HEAD_BYTES = 16_384;

/** With 10,000 leases it has 2.5 MB. */
const MOST_BYTES = 100_000_000;

/** Lines made or read at a stretch, some 5 ms. */
const LINES_PER_TURN = 1000;

/** Throws FileError. */
export async function writeState(stateDir: string, state: KnownState): Promise<void> {
  const { lease, leases, configText: config, ...rest } = state;
  const hash = createHash('sha256');
  let text = '';
  const append = (lines: readonly string[]) => {
    const slice = lines.map((line) => `${line}\n`).join('');
    hash.update(slice);
    text += slice;
  };
  const head = { ...rest, config, count: leases.size, lease: leaseFields(lease) };
  append([VERSION_LINE, JSON.stringify(head)]);
  const all = [...leases.values()];
  for (let index = 0; index < all.length; index += LINES_PER_TURN) {
    append(all.slice(index, index + LINES_PER_TURN).map((each) => JSON.stringify(leaseFields(each))));
    await setImmediate();
  }
  await writeWhole(stateFile(stateDir), `${text}sha256 ${hash.digest('hex')}\n`, 0o600);
}

/** Never throws. */
export async function readState(stateDir: string): Promise<ReadState> {
  const path = stateFile(stateDir);
  const unusable = (reason: string) => ({ warning: `${path}: ${reason}` });
  let text: string;
  try {
    text = await readRegular(path, MOST_BYTES);
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? {} : unusable((error as Error).message);
  }
  const version = text.slice(0, 100).split('\n')[0]!;
  if (/^loden last-known \d+$/.test(version) && version !== VERSION_LINE)
    return unusable('another version of loden wrote it');
  const content = /^(.*\n)sha256 ([0-9a-f]{64})\n$/s.exec(text);
  if (version !== VERSION_LINE || !content || digest(content[1]!) !== content[2])
    return unusable('it is damaged');
  const state = await parse(content[1]!.trimEnd().split('\n'));
  return state ? { state } : unusable('it is not what loden writes');
}

/** How many leases the state has, without reading them all; 0 where that cannot be told. Never throws. */
export async function countOfState(stateDir: string): Promise<number> {
  const file = await openRegular(stateFile(stateDir)).catch(() => undefined);
  try {
    const { buffer, bytesRead } = (await file?.read(Buffer.alloc(HEAD_BYTES))) ?? { bytesRead: 0 };
    const [version, head] = buffer?.toString('utf8', 0, bytesRead).split('\n', 2) ?? [];
    const { count } = version === VERSION_LINE ? parseObject(head) : {};
    return isCount(count) ? count : 0;
  } catch {
    return 0;
  } finally {
    await file?.close();
  }
}

export function stateFile(stateDir: string): string {
  return join(stateDir, 'last-known');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function leaseFields(lease: Lease) {
  const { leaseId, createRevision, modRevision } = lease;
  return {
    key: leaseKey(lease),
    leaseId,
    createRevision,
    modRevision,
    value: encodeAttributes(lease.attributes),
  };
}

async function parse([, headLine, ...leaseLines]: readonly string[]): Promise<KnownState | undefined> {
  const head = parseObject(headLine);
  const lease = parseLease(head.lease);
  const renewed = parseMoment(head.renewed);
  const { etcdPrefix, config, ttlSeconds, revision } = head;
  if (typeof etcdPrefix !== 'string' || typeof config !== 'string') return undefined;
  if (!lease || !renewed || !isCount(ttlSeconds) || !isCount(revision)) return undefined;
  const leases = new Map<LeaseKey, Lease>();
  for (const [index, line] of leaseLines.entries()) {
    const each = parseLease(parseObject(line));
    if (!each) return undefined;
    leases.set(leaseKey(each), each);
    if (index % LINES_PER_TURN === LINES_PER_TURN - 1) await setImmediate();
  }
  return { etcdPrefix, configText: config, lease, ttlSeconds, renewed, leases, revision };
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

function parseObject(line: string | undefined): Fields {
  try {
    return fieldsOf(JSON.parse(line ?? ''));
  } catch {
    return {};
  }
}

function fieldsOf(value: JsonValue | undefined): Fields {
  return isJsonObject(value) ? value : {};
}

function parseLease(value: JsonValue | Fields | undefined): Lease | undefined {
  const { key, leaseId, createRevision, modRevision, value: text } = fieldsOf(value as JsonValue);
  if (typeof key !== 'string' || typeof leaseId !== 'string' || typeof text !== 'string') return undefined;
  if (!/^\d+$/.test(leaseId) || !isCount(createRevision) || !isCount(modRevision)) return undefined;
  const subnets = parseLeaseKey(key);
  const attributes = decodeAttributes(text);
  if (!subnets || !('value' in attributes)) return undefined;
  return { ...subnets, attributes: attributes.value, leaseId, createRevision, modRevision };
}

function parseMoment(value: JsonValue | undefined): Moment | undefined {
  const { wallMs, bootId, sinceBootMs } = fieldsOf(value);
  if (!isCount(wallMs) || typeof bootId !== 'string' || !isCount(sinceBootMs)) return undefined;
  return { wallMs, bootId, sinceBootMs };
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
