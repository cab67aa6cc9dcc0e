import { LabError } from '../errors.js';
import type { Namespace } from './namespace.js';

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** The fastest round trip in milliseconds; undefined when nothing came back. */
  readonly roundTripMs: number | undefined;
}

export interface PingTarget {
  readonly name: string;
  readonly namespace: Namespace;
  readonly address: string;
}

export interface MatrixEntry extends PingResult {
  readonly from: string;
  readonly to: string;
}

/** How many pings run at a time: each is a process. */
const AT_ONCE = 16;

/** Sends `count` echo requests, 20 ms apart, and waits up to a second for the last answer. */
export async function ping(from: Namespace, address: string, count = 3): Promise<PingResult> {
  const words = ['ping', '-n', '-q', '-c', `${count}`, '-i', '0.02', '-W', '1', address];
  const { stdout, stderr } = await from.attempt(words);
  return parsePing(stdout) ?? { sent: count, received: fail(stderr), roundTripMs: undefined };
}

/** Reads iputils' summary; undefined when there is none. */
export function parsePing(output: string): PingResult | undefined {
  const counts = /^(\d+) packets transmitted, (\d+) received/m.exec(output);
  if (!counts) return undefined;
  const fastest = /^rtt min\/avg\/max\/mdev = ([\d.]+)\//m.exec(output)?.[1];
  return {
    sent: Number(counts[1]),
    received: Number(counts[2]),
    roundTripMs: fastest === undefined ? undefined : Number(fastest),
  };
}

/** Pings from each target to each other one; rows in the order of the targets. */
export async function pingMatrix(targets: readonly PingTarget[], count = 3): Promise<MatrixEntry[]> {
  const pairs = targets.flatMap((from) => targets.filter((to) => to !== from).map((to) => ({ from, to })));
  const entries: MatrixEntry[] = [];
  const queue = pairs.entries();
  const worker = async () => {
    for (const [index, { from, to }] of queue) {
      const result = await ping(from.namespace, to.address, count);
      entries[index] = { from: from.name, to: to.name, ...result };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return entries;
}

/** Whether every ping of every pair came back. */
export function allReached(matrix: readonly MatrixEntry[]): boolean {
  return matrix.every((entry) => entry.received === entry.sent);
}

// `ping` without a summary did not even try: `connect: Network is unreachable`.
function fail(stderr: string): number {
  if (/unreachable/i.test(stderr)) return 0;
  throw new LabError(`ping: ${stderr}`);
}
