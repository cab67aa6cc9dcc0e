/** Of the lab's keys: flannel's default. */
export const ETCD_PREFIX = '/coreos.com/network';

/** What a lab needs of its etcd, be it one process or several. */
export interface EtcdService {
  /** As the daemons' `--etcd-endpoints` takes it: `http://192.168.77.254:2379`. */
  readonly endpoint: string;
  /** With which `loden` may do everything. */
  readonly operatorFlags: readonly string[];
  /** Lets a host of that name in, and gives the flags with which its daemon says who it is. */
  admit(host: string): Promise<readonly string[]>;
  /** Starts it again over the data it had, and waits until it answers. */
  start(): Promise<void>;
  /** Ends it and keeps its data. */
  stop(): Promise<void>;
  /** Lets it hang: connections stay open and nothing is answered, until `resume`. */
  pause(): void;
  resume(): void;
  /** Runs etcdctl, as one who may do everything, and returns what it printed. */
  ctl(...args: readonly string[]): Promise<string>;
  /** Forgets all revisions up to the present one: a watch that starts at an older one is refused. */
  compact(): Promise<void>;
  /** Writes all that it has to a file. */
  save(file: string): Promise<void>;
  /** Ends it and begins again with what was saved, or with nothing: its revisions go back. */
  restore(file?: string): Promise<void>;
}

export async function compactNow(etcd: Pick<EtcdService, 'ctl'>): Promise<void> {
  const answer = JSON.parse(await etcd.ctl('get', 'any', '--write-out=json')) as {
    header: { revision: number };
  };
  await etcd.ctl('compact', String(answer.header.revision)).catch((error: Error) => {
    // Nothing has happened since the last time.
    if (!error.message.includes('has been compacted')) throw error;
  });
}
