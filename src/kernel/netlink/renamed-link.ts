/**
 * A device of ours that somebody renamed keeps its VNI and port, so that the kernel lets none be made under our name.
 * It is known by its index, which it keeps as long as it is there.
 */
import type { Link } from '../objects.js';
import { type Connection, failuresOf } from './connection.js';
import {
  type LinkMessage,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  readLink,
  writeGetLink,
  writeLink,
} from './link.js';
import { MessageReader, NLM_F_REQUEST } from './message.js';

/** Removes the device with this index if it is the one that `link` was, by type and VNI, under another name. */
export async function removeRenamed(connection: Connection, link: Link, index: number): Promise<void> {
  const found = await linkAt(connection, index);
  if (found === undefined || found.name === link.name) return;
  if (found.kind !== link.type || found.vxlan?.id !== link.vxlan?.vni) return;
  await connection.exchange([
    (writer, sequence) =>
      writeLink(writer, { type: RTM_DELLINK, flags: NLM_F_REQUEST, sequence }, { index, family: 0 }),
  ]);
}

async function linkAt(connection: Connection, index: number): Promise<LinkMessage | undefined> {
  const answer = await connection.exchange([
    (writer, sequence) =>
      writeGetLink(writer, { type: RTM_GETLINK, flags: NLM_F_REQUEST, sequence }, { index }),
  ]);
  if (failuresOf(answer).size > 0) return undefined;
  const message = new MessageReader(answer.buffer);
  while (message.next()) {
    if (message.type === RTM_NEWLINK && message.sequence === answer.first)
      return readLink(message.buffer, message.start, message.end);
  }
  return undefined;
}
