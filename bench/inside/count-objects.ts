/**
 * Notes when the last of so many routes, neighbours and forwarding entries came into the kernel. The kernel's own
 * notifications are counted, which costs the one who makes the objects nothing that he would not pay anyway: asking
 * again and again how many there are would take the kernel's locks.
 */

import { MessageReader } from '../../src/kernel/netlink/message.js';
import { NUD_PERMANENT, RTM_NEWNEIGH } from '../../src/kernel/netlink/neighbour.js';
import { RTM_NEWROUTE, RTN_UNICAST } from '../../src/kernel/netlink/route.js';
import { loadNative } from '../../src/native.js';
import { monotonicMs } from '../clock.js';
import { answer } from './answer.js';

export interface CountInput {
  readonly routes: number;
  /** With forwarding entries, which are neighbours too for netlink. */
  readonly neighbours: number;
  readonly deadlineMs: number;
}

const NETLINK_ROUTE = 0;
/** RTMGRP_NEIGH, RTMGRP_IPV4_ROUTE */
const GROUPS = 0x4 | 0x40;
/** All subnets of the crowd have it, and no other route of the host. */
const SUBNET_LENGTH = 24;
/** The kernel's own routes, of a link's networks. */
const RTPROT_KERNEL = 2;

class Tally {
  routes = 0;
  neighbours = 0;

  read(buffer: Buffer): void {
    const message = new MessageReader(buffer);
    while (message.next()) {
      if (message.type === RTM_NEWROUTE && isPeerRoute(buffer, message.start)) this.routes += 1;
      else if (message.type === RTM_NEWNEIGH && isPermanent(buffer, message.start)) this.neighbours += 1;
    }
  }
}

/** struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type */
function isPeerRoute(buffer: Buffer, at: number): boolean {
  return (
    buffer[at + 1] === SUBNET_LENGTH && buffer[at + 5] !== RTPROT_KERNEL && buffer[at + 7] === RTN_UNICAST
  );
}

/** struct ndmsg: family and padding, index, u16 state */
function isPermanent(buffer: Buffer, at: number): boolean {
  return (buffer.readUInt16LE(at + 8) & NUD_PERMANENT) !== 0;
}

/** `monotonicMs` of the last one. */
async function countObjects(input: CountInput, ready: () => void): Promise<number> {
  const { routes, neighbours, deadlineMs } = input;
  const tally = new Tally();
  const explain = () =>
    `${tally.routes} of ${routes} routes and ${tally.neighbours} of ${neighbours} neighbours`;
  const native = loadNative();
  return new Promise((resolve, reject) => {
    const listener = native.netlinkListen(NETLINK_ROUTE, GROUPS, (messages, errno) => {
      if (!messages) return reject(new Error(`notifications were lost: errno ${errno}; ${explain()}`));
      tally.read(messages);
      if (tally.routes >= routes && tally.neighbours >= neighbours) resolve(monotonicMs());
    });
    setTimeout(() => {
      native.netlinkStopListening(listener);
      reject(new Error(`after ${deadlineMs / 1000} s: ${explain()}`));
    }, deadlineMs);
    ready();
  });
}

answer(countObjects);
