/** A stand-in for systemd: Node has no datagram sockets of this family, Perl, which every Debian has, does. */

import { mkdir } from 'node:fs/promises';
import type { LabHost } from '../../src/lab/host.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';

/** Prints each message, and then at once what the shell command in its second argument tells. */
const RECEIVER = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
print "bound\\n";
while (defined recv($s, my $text, 4096, 0)) { my $told = qx($ARGV[1]); print "$text\\n$told" }`;

export interface Receiver {
  /** NOTIFY_SOCKET */
  readonly path: string;
  /** All messages, each followed by what the command told when it came. */
  readonly told: () => Promise<string>;
  readonly stop: () => Promise<unknown>;
}

export async function receiveNotifications(host: LabHost, command: string): Promise<Receiver> {
  await mkdir(host.directory, { recursive: true });
  const path = `${host.directory}/notify`;
  const process = await Process.start({
    namespace: host.namespace,
    words: ['perl', '-e', RECEIVER, path, command],
    logFile: `${host.directory}/notified.log`,
  });
  await waitFor('the socket', async () => (await process.log()).includes('bound'));
  const told = async () => (await process.log()).replace('bound\n', '');
  return { path, told, stop: () => process.kill() };
}
