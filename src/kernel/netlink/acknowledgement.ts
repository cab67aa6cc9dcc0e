/** NLMSG_ERROR and NLMSG_DONE: how the kernel says that a message succeeded or why it failed (linux/netlink.h). */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { AttributeReader } from './attributes.js';
import { align, HEADER_SIZE, type MessageReader, NLMSG_DONE, NLMSG_ERROR } from './message.js';

/** The request is not repeated after its header; attributes follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export interface Acknowledgement {
  /** Positive; 0 for success. */
  readonly errno: number;
  /** The kernel's own words (extended ACK); often empty. */
  readonly text: string;
}

/** Reads the reader's current message, which is NLMSG_ERROR or NLMSG_DONE. */
export function readAcknowledgement(message: MessageReader): Acknowledgement {
  const { buffer, start, end, flags } = message;
  if (end - start < 4) return { errno: 0, text: '' };
  const errno = -buffer.readInt32LE(start) || 0;
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: '' };
  let attributes = start + 4;
  if (message.type === NLMSG_ERROR) {
    const capped = (flags & NLM_F_CAPPED) !== 0;
    attributes += capped ? HEADER_SIZE : align(buffer.readUInt32LE(start + 4)) >>> 0;
  }
  const attribute = new AttributeReader(buffer, attributes, end);
  while (attribute.next()) {
    if (attribute.type === NLMSGERR_ATTR_MSG) return { errno, text: attribute.text() };
  }
  return { errno, text: '' };
}

export function isAcknowledgement(type: number): boolean {
  return type === NLMSG_ERROR || type === NLMSG_DONE;
}

/** `EEXIST` for 17. */
export function errnoName(errno: number): string {
  if (errno === constants.errno.EOPNOTSUPP) return 'EOPNOTSUPP'; // libuv calls it by its other name
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** What the kernel said, or else what the number means: `file already exists` for 17. */
export function explain(acknowledgement: Acknowledgement): string {
  const { errno, text } = acknowledgement;
  return text || (getSystemErrorMap().get(-errno)?.[1] ?? 'the kernel gave no reason');
}
