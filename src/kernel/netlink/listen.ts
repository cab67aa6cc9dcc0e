import { loadNative } from '../../native.js';
import { nativeError } from './failure.js';

const NETLINK_ROUTE = 0;
/** What there are notifications of: the groups of linux/rtnetlink.h. */
export const RTMGRP_LINK = 0x1;
export const RTMGRP_NEIGH = 0x4;
export const RTMGRP_IPV4_IFADDR = 0x10;
export const RTMGRP_IPV4_ROUTE = 0x40;

/** Calls back with notifications as they come, or with the errno of a failure to receive. Returns what ends it. */
export function listen(
  groups: number,
  callback: (messages: Buffer | undefined, errno: number | undefined) => void,
): () => void {
  try {
    const listener = loadNative().netlinkListen(NETLINK_ROUTE, groups, callback);
    return () => loadNative().netlinkStopListening(listener);
  } catch (error) {
    throw nativeError("listen to the kernel's notifications", error);
  }
}
