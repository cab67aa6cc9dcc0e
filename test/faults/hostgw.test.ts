import { endure } from './endure.js';
import { hostgwGroup } from './groups/hostgw.js';

endure(hostgwGroup);
