import test from 'ava';
import { Contact, type Silence } from '../../src/agent/contact.js';
import { recordingLog } from '../fakes/log.js';

const away: Silence = { reason: 'does not answer', refused: false };
const refused: Silence = { reason: 'does not permit', refused: true };

function setUp(silence?: Silence) {
  const { log, lines } = recordingLog();
  let changes = 0;
  const contact = new Contact(log, () => void changes++, silence);
  const told = () => lines.map(({ msg, reason }) => (reason === undefined ? msg : `${msg}: ${reason}`));
  return { contact, told, changes: () => changes };
}

const LOST = 'etcd is out of reach; packets still flow: does not answer';
const REFUSED = 'etcd refuses us; packets still flow: does not permit';
const BACK = 'etcd is back';

test('an outage that both notice is told once, and its end when both are served again', (t) => {
  const { contact, told } = setUp();
  contact.lost('watch', away);
  contact.lost('lease', away);
  contact.back('watch');
  t.deepEqual(told(), [LOST]);
  t.truthy(contact.silence);
  contact.back('lease');
  contact.back('lease');
  t.deepEqual(told(), [LOST, BACK]);
  t.is(contact.silence, undefined);
});

test('an outage that turns out to be a refusal is told as that, once', (t) => {
  const { contact, told } = setUp();
  contact.lost('watch', away);
  contact.lost('watch', refused);
  contact.lost('lease', refused);
  contact.lost('watch', away);
  contact.lost('watch', refused);
  t.deepEqual(told(), [LOST, REFUSED]);
});

test('an etcd that was away from the start is told of when it is back', (t) => {
  const { contact, told, changes } = setUp(away);
  contact.lost('watch', away);
  t.deepEqual(told(), []);
  contact.back('watch');
  t.deepEqual(told(), [BACK]);
  t.is(changes(), 1);
});

test('etcd was away lately while it is, and for a while after', (t) => {
  const { contact } = setUp();
  t.false(contact.wasAwayWithin(60_000));
  contact.lost('watch', away);
  t.true(contact.wasAwayWithin(0));
  contact.back('watch');
  t.true(contact.wasAwayWithin(60_000));
  t.false(contact.wasAwayWithin(0));
});
