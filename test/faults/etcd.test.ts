import { endure } from './endure.js';
import { etcdGroup } from './groups/etcd.js';

endure(etcdGroup);
