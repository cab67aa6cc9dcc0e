import test from 'ava';
import { PACKET_COUNTERS } from '../../src/backend/packet-path.js';
import { loadNative } from '../../src/native.js';

test('what the threads count is what the port names, in the same order', (t) => {
  t.deepEqual(Object.keys(PACKET_COUNTERS), loadNative().udpCounterNames());
});
