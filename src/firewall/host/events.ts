import { constants } from 'node:os';
import { loadNative, type NativeHandle } from '../../native.js';

const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES is group 7 (linux/netfilter/nfnetlink.h); as a mask: */
const NFTABLES = 1 << 6;
const { ENOBUFS } = constants.errno;

/**
 * Yields after changes of nftables, and so of iptables over nftables; changes that come while nobody asks count as
 * one. What has changed is not read: who is woken looks. Listening has begun when this returns; it ends when the
 * signal is aborted, or when the kernel tells nothing, as where it has no nftables.
 */
export function nftablesEvents(signal: AbortSignal): AsyncIterable<void> {
  let changed = false;
  let ended = signal.aborted;
  let wake: () => void = () => undefined;
  const end = () => {
    ended = true;
    wake();
  };
  const listener = ended
    ? undefined
    : listen((errno) => {
        if (errno === undefined || errno === ENOBUFS) changed = true;
        else ended = true;
        wake();
      });
  if (listener === undefined) ended = true;
  signal.addEventListener('abort', end, { once: true });
  return (async function* () {
    try {
      while (!ended) {
        if (changed) {
          changed = false;
          yield;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      if (listener !== undefined) loadNative().netlinkStopListening(listener);
    }
  })();
}

function listen(callback: (errno: number | undefined) => void): NativeHandle | undefined {
  try {
    return loadNative().netlinkListen(NETLINK_NETFILTER, NFTABLES, (_messages, errno) => callback(errno));
  } catch (error) {
    if (error instanceof Error && 'errno' in error) return undefined;
    throw error;
  }
}
