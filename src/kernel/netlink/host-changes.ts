/** Says that something of this host's network changed, for those who then look for themselves. */
import { ROUTE_PROTOCOL } from '../objects.js';
import { RTM_DELADDR, RTM_NEWADDR } from './address.js';
import { RTM_DELLINK, RTM_NEWLINK } from './link.js';
import { listen, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_LINK } from './listen.js';
import { MessageReader } from './message.js';
import { RTM_DELROUTE, RTM_NEWROUTE, routeProtocol } from './route.js';

/** Listens from now on. Notifications that were lost count as a change. */
export function listenForHostChanges(changed: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const stop = listen(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE, (messages) => {
    if (!messages || tellsOfHost(messages)) changed();
  });
  signal.addEventListener('abort', stop, { once: true });
}

function tellsOfHost(messages: Buffer): boolean {
  const message = new MessageReader(messages);
  while (message.next()) if (isOfHost(message)) return true;
  return false;
}

/** Each of ten thousand peers may have a route of ours, and none of those says anything about the host. */
function isOfHost({ type, buffer, start }: MessageReader): boolean {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return routeProtocol(buffer, start) !== ROUTE_PROTOCOL;
    default:
      return false;
  }
}
