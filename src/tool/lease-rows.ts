/** The lease table as the operator sees it: one row a lease, judged as the daemon would judge it. */

import { isJsonObject } from '../json.js';
import { leaseKey } from '../lease/codec.js';
import type { JudgeContext, Judgement, RefusalKind } from '../lease/judge.js';
import { judgeAll } from '../lease/judgements.js';
import { isReservation, type Lease } from '../lease/lease.js';
import { formatPrefix } from '../net/prefix.js';
import { formatTable } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';
import { isUntouched, NOBODY } from './reservation.js';

/** As `--json` prints it. */
export interface LeaseRow {
  readonly subnet: string;
  readonly subnetV6: string | null;
  readonly publicIp: string;
  /** Empty where flannel leaves it out. */
  readonly backendType: string;
  readonly vtepMac: string | null;
  readonly reserved: boolean;
  /** Null for a reservation, and for a lease that expired while it was looked at. */
  readonly ttlSeconds: number | null;
  /** `unused`: a reservation that no host has taken. `unknown`: there is no usable config to judge by. */
  readonly state: 'ok' | 'own' | 'refused' | 'unused' | 'unknown';
  /** Why it is refused. */
  readonly reason: string | null;
  /** Of the host that holds it; null for a flanneld. */
  readonly identity: string | null;
}

export interface LeaseRowsInput {
  readonly leases: Iterable<Lease>;
  /** Undefined when there is no usable config. */
  readonly context: JudgeContext | undefined;
  /** Seconds left by etcd lease id; one that is absent has expired. */
  readonly secondsLeft: ReadonlyMap<string, number>;
}

/** Sorted by address. */
export function leaseRows({ leases, context, secondsLeft }: LeaseRowsInput): LeaseRow[] {
  const all = [...leases];
  const judgements =
    context &&
    judgeAll(
      all.map((lease) => [leaseKey(lease), lease]),
      context,
    );
  return all
    .sort((a, b) => a.subnet.address - b.subnet.address || a.subnet.length - b.subnet.length)
    .map((lease) => ({
      subnet: formatPrefix(lease.subnet),
      subnetV6: lease.subnetV6 ?? null,
      publicIp: lease.attributes.publicIp,
      backendType: lease.attributes.backendType,
      vtepMac: vtepMacOf(lease),
      reserved: isReservation(lease),
      ttlSeconds: secondsLeft.get(lease.leaseId) ?? null,
      ...stateOf(lease, judgements?.of(leaseKey(lease))),
      identity: lease.attributes.identity ?? null,
    }));
}

/** `paint` is the terminal's. */
export function formatLeaseRows(rows: readonly LeaseRow[], paint: Terminal['paint']): string {
  const titles = ['SUBNET', 'PUBLIC IP', 'BACKEND', 'VTEP', 'TTL', 'STATE'];
  return formatTable(
    titles,
    rows.map((row) => [
      { text: row.subnetV6 ? `${row.subnet} ${row.subnetV6}` : row.subnet },
      { text: row.publicIp },
      { text: row.backendType || '-' },
      { text: row.vtepMac ?? '-' },
      { text: ttlText(row) },
      { text: stateText(row), paint: (text) => paint(text, stateColours[row.state]) },
    ]),
  );
}

/** `23h59m`, `4m10s`, `9s`: two units at most. */
export function durationText(seconds: number): string {
  const units = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ] as const;
  const first = units.findIndex(([, count]) => count > 0);
  if (first === -1) return '0s';
  const shown = units.slice(first, first + 2).filter(([, count]) => count > 0);
  return shown.map(([unit, count]) => `${count}${unit}`).join('');
}

const stateColours = { ok: 'green', own: 'green', refused: 'red', unused: 'dim', unknown: 'dim' } as const;

function stateOf(lease: Lease, judgement: Judgement | undefined): Pick<LeaseRow, 'state' | 'reason'> {
  if (!judgement) return { state: 'unknown', reason: null };
  if (judgement.verdict !== 'refused') return { state: judgement.verdict, reason: null };
  return isUnused(lease, judgement.kind)
    ? { state: 'unused', reason: null }
    : { state: 'refused', reason: judgement.reason };
}

/** Refused as well, since there is nobody to send to; but nothing else is wrong with it. */
function isUnused(lease: Lease, refusal: RefusalKind): boolean {
  return isUntouched(lease) && (lease.attributes.publicIp === NOBODY || refusal === 'backend');
}

function stateText({ state, reason }: LeaseRow): string {
  if (state === 'refused') return `refused: ${reason}`;
  return state === 'own' ? 'ok, this host' : state;
}

function ttlText({ reserved, ttlSeconds }: LeaseRow): string {
  if (reserved) return 'reserved';
  return ttlSeconds === null ? 'expired' : durationText(ttlSeconds);
}

function vtepMacOf({ attributes: { backendData } }: Lease): string | null {
  const mac = isJsonObject(backendData) ? backendData.VtepMAC : undefined;
  return typeof mac === 'string' ? mac : null;
}
