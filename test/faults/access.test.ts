import { endure } from './endure.js';
import { accessGroup } from './groups/access.js';

endure(accessGroup);
