/**
 * Who holds the port or the device that a packet path needs: mostly a flanneld that still runs. Read from /proc, where
 * other processes' files show only to those who may trace them; else it is guessed by name. Processes in other network
 * namespaces may hold ports and devices of the same name, and are nobody's obstacle.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { PacketPathWish } from '../packet-path.js';

/** `flanneld, process 812`; undefined when nobody is found. */
export async function findObstacle(
  { device, port }: PacketPathWish,
  proc = '/proc',
): Promise<string | undefined> {
  const socket = await socketOn(port, proc);
  const network = await link(`${proc}/self/ns/net`);
  let suspect: string | undefined;
  for (const pid of await processes(proc)) {
    const name = (await text(`${proc}/${pid}/comm`)).trim();
    const where = await link(`${proc}/${pid}/ns/net`);
    if (where !== '' && where !== network) continue;
    if (await holds(`${proc}/${pid}`, device, socket)) return `${name}, process ${pid}`;
    if (name === 'flanneld') suspect = `perhaps ${name}, process ${pid}`;
  }
  return suspect;
}

/** As a link in a process's folder `fd` names it: `socket:[4711]`. */
async function socketOn(port: number, proc: string): Promise<string | undefined> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Columns: sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
  const columns = (await text(`${proc}/net/udp`)).split('\n').map((line) => line.trim().split(/\s+/));
  const inode = columns.find(([, local]) => local?.endsWith(`:${hex}`))?.[9];
  return inode && `socket:[${inode}]`;
}

async function processes(proc: string): Promise<readonly string[]> {
  return (await readdir(proc).catch(() => [])).filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  );
}

async function holds(folder: string, device: string, socket: string | undefined): Promise<boolean> {
  for (const fd of await readdir(`${folder}/fd`).catch(() => [])) {
    const target = await link(`${folder}/fd/${fd}`);
    if (target !== '' && target === socket) return true;
    if (target.endsWith('/net/tun') && (await attachesTo(device, `${folder}/fdinfo/${fd}`))) return true;
  }
  return false;
}

/** The tun driver shows the device's name as `iff:`. */
async function attachesTo(device: string, fdinfo: string): Promise<boolean> {
  return (await text(fdinfo)).split('\n').some((line) => line.replace(/\s+/, ' ') === `iff: ${device}`);
}

/** Empty for what is not there any more, or not for our eyes; as is `text`. */
async function link(path: string): Promise<string> {
  return readlink(path).catch(() => '');
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
