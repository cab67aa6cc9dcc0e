/**
 * Carries out changes in order: netlink requests in batches, sysctls as files between them.
 *
 * Requests name links by index, so a batch ends where a link is made, changed or removed, and names are looked up
 * anew after it and for every call: an index kept from before may by now belong to another device. Between batches
 * the event loop turns.
 */
import { constants } from 'node:os';
import { KernelError } from '../../errors.js';
import type { ApplyFailure, ApplyReport, Change } from '../kernel.js';
import type { Link } from '../objects.js';
import { writeSysctl } from '../sysctl.js';
import type { Acknowledgement } from './acknowledgement.js';
import { type Connection, failuresOf, type WriteMessage } from './connection.js';
import { changeError, meansAbsent } from './failure.js';
import type { Known } from './filter.js';
import { RTM_GETLINK, RTM_NEWLINK, readLink, writeGetLink } from './link.js';
import { MessageReader, NLM_F_REQUEST } from './message.js';
import { removeRenamed } from './renamed-link.js';
import { linksNeeded, toRequests } from './to-requests.js';
import { isNewTun, makeTun } from './tun.js';

/** Messages; some 3 ms of the kernel's time and 1 ms of ours. */
const BATCH_SIZE = 400;

export async function applyChanges(
  connection: Connection,
  known: Known,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ApplyReport> {
  const failures: ApplyFailure[] = [];
  const indexes = new Map<string, number>();
  let from = 0;
  while (from < changes.length) {
    signal.throwIfAborted();
    const to = endOfBatch(changes, from);
    const batch = changes.slice(from, to);
    const last = batch[batch.length - 1]!.object;
    if (last.kind === 'sysctl') failures.push(...(await applySysctl(batch[0]!, failures)));
    else failures.push(...(await applyBatch(connection, known, batch, indexes)));
    if (last.kind === 'link') indexes.clear();
    from = to;
  }
  return { applied: changes.length - failures.length, failures };
}

/** A batch ends before a sysctl, which stands alone, and after a link. */
function endOfBatch(changes: readonly Change[], from: number): number {
  if (changes[from]!.object.kind === 'sysctl') return from + 1;
  let to = from;
  while (to < changes.length && to - from < BATCH_SIZE) {
    const { kind } = changes[to]!.object;
    if (kind === 'sysctl') break;
    to++;
    if (kind === 'link') break;
  }
  return to;
}

async function applySysctl(change: Change, before: readonly ApplyFailure[]): Promise<ApplyFailure[]> {
  // Nothing is ever taken back: a value of ours that is no longer wanted stays as it is.
  if (change.object.kind !== 'sysctl' || change.kind === 'remove') return [];
  const { path } = change.object;
  const lacksLink = before.some(
    ({ change: { object } }) => object.kind === 'link' && isOf(object.name, path),
  );
  const acknowledgement = lacksLink ? NO_LINK : await writeSysctl(change.object);
  return acknowledgement ? [{ change, error: changeError(change, acknowledgement) }] : [];
}

/** `net/ipv6/conf/flannel.1/accept_ra` is of the link flannel.1. */
function isOf(link: string, sysctlPath: string): boolean {
  return sysctlPath.split('/').includes(link);
}

async function applyBatch(
  connection: Connection,
  known: Known,
  batch: readonly Change[],
  indexes: Map<string, number>,
): Promise<ApplyFailure[]> {
  const failures = new Map<Change, ApplyFailure>();
  const fail = (change: Change, acknowledgement: Acknowledgement) => {
    if (change.kind === 'remove' && meansAbsent(acknowledgement.errno)) return;
    failures.set(change, { change, error: changeError(change, acknowledgement) });
  };
  /** The change that each request is for. */
  const sent: Change[] = [];
  const requests: WriteMessage[] = [];
  try {
    await lookUp(connection, new Set(batch.flatMap(linksNeeded)), indexes);
    for (const change of batch) {
      await makeWay(connection, known, change);
      if (!linksNeeded(change).every((name) => indexes.has(name))) {
        fail(change, NO_LINK);
        continue;
      }
      const refusal = isNewTun(change) && (await beginTun(connection, known, change.object));
      if (refusal) {
        fail(change, refusal);
        continue;
      }
      for (const request of toRequests(change, (name) => indexes.get(name)!)) {
        sent.push(change);
        requests.push(request);
      }
    }
    if (requests.length > 0) {
      const answer = await connection.exchange(requests);
      for (const [i, acknowledgement] of failuresOf(answer)) fail(sent[i]!, acknowledgement);
      for (const { change } of failures.values())
        if (isNewTun(change)) known.unfinished.forget(change.object.name);
    }
    return [...failures.values()];
  } catch (error) {
    // The socket failed: how far the kernel came is not known.
    if (!(error instanceof KernelError)) throw error;
    return batch.map((change) => ({ change, error }));
  }
}

async function makeWay(connection: Connection, known: Known, { kind, object }: Change): Promise<void> {
  if (kind !== 'add' || object.kind !== 'link') return;
  const index = known.ownLinks.get(object.name);
  if (index !== undefined) await removeRenamed(connection, object, index);
}

/** The first step; its netlink request is the second. */
async function beginTun(
  connection: Connection,
  known: Known,
  link: Link,
): Promise<Acknowledgement | undefined> {
  const there = new Map<string, number>();
  await lookUp(connection, new Set([link.name]), there);
  if (there.size > 0) return { errno: constants.errno.EEXIST, text: '' };
  known.unfinished.begin(link);
  const refusal = makeTun(link.name);
  if (refusal) known.unfinished.forget(link.name);
  return refusal;
}

const NO_LINK = { errno: constants.errno.ENODEV, text: 'there is no such link' };

/** Adds the indexes of those names that are not known yet and exist. */
async function lookUp(
  connection: Connection,
  names: ReadonlySet<string>,
  indexes: Map<string, number>,
): Promise<void> {
  const unknown = [...names].filter((name) => !indexes.has(name));
  if (unknown.length === 0) return;
  const answer = await connection.exchange(
    unknown.map((name) => (writer, sequence) => {
      writeGetLink(writer, { type: RTM_GETLINK, flags: NLM_F_REQUEST, sequence }, { name });
    }),
  );
  const message = new MessageReader(answer.buffer);
  while (message.next()) {
    if (message.type !== RTM_NEWLINK || message.sequence < answer.first) continue;
    const { index } = readLink(message.buffer, message.start, message.end);
    indexes.set(unknown[message.sequence - answer.first]!, index);
  }
}
