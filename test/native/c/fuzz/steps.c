/*
 * The packet path without threads and devices, on a kernel that lies: what a fuzzer makes up goes in, and whatever that
 * is, each packet must come out once, as it was, or be counted as dropped.
 *
 *   frames ─▶ outbound ─▶ outbox ─▶ transmit ─▶ sendmmsg ─┐ ours, which refuses and shortens at the input's word
 *                                                         ▼
 *   device ◀─ cut up ◀─ coalescer ◀─ inbound ◀─ inbox ◀─ wire ◀─ datagrams of strangers
 *                 └ each the next of its flow that the wire had
 *
 * The input is a list of steps. Any bytes are one, so random ones serve as well as a fuzzer's; see fuzz-driver.c.
 */
#include "state.h"
#include "udp/checksum.h"

/* Of one super-packet, so that ids do not come round while frames wait. */
#define MOST_SEGMENTS 256

/* Unknown, the least that the kernel believes, a tunnel's, a loopback's. */
static const uint32_t MTUS[] = {0, 552, 1300, 65536};

const uint8_t *input;
size_t left;
struct inbound in;
static struct list frames; /* that outbound points at, until they are sent */
static struct counters counters;
static struct outbound out;
struct transmitter transmitter;
static struct ways ways;
static struct inbox inbox;
static uint16_t next_id[256];
uint16_t last_id[256];

static void clear(struct list *list) {
  for (unsigned i = 0; i < list->count; i++) free(list->item[i].at);
  list->count = 0;
}

static void send_all(void *to, const struct outbox *outbox) {
  uint64_t packets = 0;
  for (unsigned i = 0; i < outbox->count; i++) {
    const struct message *message = &outbox->message[i];
    CHECK(message->packets > 0 && message->packets <= MESSAGE_PACKETS && message->bytes <= LARGEST_PAYLOAD);
    CHECK((message->bytes + message->size - 1) / message->size == message->packets);
    packets += message->packets;
  }
  const uint64_t before = packets_sent + counted(&counters, SEND_ERRORS);
  transmit(to, outbox);
  CHECK(packets_sent + counted(&counters, SEND_ERRORS) - before == packets);
  CHECK(counted(&counters, SENT_PACKETS) == packets_sent && counted(&counters, SENT_BYTES) == bytes_sent);
}

static void flush_outbound(void) {
  outbound_flush(&out);
  clear(&frames);
}

static void receive(void) {
  struct datagram datagram;
  while (inbox_receive(&inbox) > 0) {
    while (inbox_next(&inbox, &datagram)) inbound_add(&in, datagram.bytes, datagram.length, datagram.sender);
    inbound_flush(&in);
    for (unsigned i = 0; i < expected.count; i++) CHECK(!expected.item[i].at);
    expected.count = 0;
  }
}

static void receive_meanwhile(void *context) {
  (void)context;
  receive();
}

/* The input's own bytes here and there. */
static void spoil(uint8_t *bytes, size_t length) {
  for (unsigned times = take8() % 4; times > 0 && length > 0; times--) bytes[take16() % length] = take8();
}

static size_t counted_packets(void) {
  uint64_t sum = 0;
  for (enum counter c = DROPPED_NO_ROUTE; c <= DROPPED_TOO_BIG; c++) sum += counted(&counters, c);
  for (unsigned i = 0; i < out.outbox.count; i++) sum += out.outbox.message[i].packets;
  return sum + packets_sent + counted(&counters, SEND_ERRORS);
}

static void add_frame(const uint8_t *bytes, size_t length) {
  struct virtio_net_hdr how = {0};
  add(&frames, bytes, length, 0);
  memcpy(&how, bytes, length < sizeof how ? 0 : sizeof how);
  size_t before = counted_packets();
  outbound_add(&out, frames.item[frames.count - 1].at, length);
  size_t made = counted_packets() - before;
  CHECK(length < sizeof how ? made == 0 : how.gso_type == VIRTIO_NET_HDR_GSO_NONE ? made == 1 : made >= 1);
  if (frames.count == 64 || wire.count > MOST_PACKETS / 8) flush_outbound();
}

/* Of a super-packet; now and then more than a datagram holds. */
static size_t payload_size(uint16_t choice) {
  return choice >= 0xff00 ? UINT16_MAX - choice % 64u : 1u + choice % 20000u;
}

/* Between two addresses ids count up, whatever else the input spoils: on the wire they must still do. */
static void number(uint8_t *packet, size_t segments) {
  uint16_t *id = &next_id[pair_of(packet)];
  write16(packet + IPV4_ID, *id);
  *id = (uint16_t)(*id + segments);
}

static struct virtio_net_hdr take_header(const uint8_t *packet, size_t length, uint8_t kind) {
  struct virtio_net_hdr how = {0};
  if (kind & 1) {
    bool tcp = packet[IPV4_PROTOCOL] == PROTOCOL_TCP;
    how.gso_type = kind & 4 ? take8() : tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP_L4;
    how.gso_size = kind & 8 ? take16() : (uint16_t)(100 + take8() * 8);
    if (how.gso_size > 0 && length / how.gso_size > MOST_SEGMENTS) how.gso_size = 1400;
  }
  if (kind & 16) {
    how.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    how.csum_start = kind & 32 ? take16() : 20;
    how.csum_offset = kind & 64 ? take16() : 16;
    unsigned field = how.csum_start + how.csum_offset; /* not where the addresses are, by which its order is told */
    if (field >= IPV4_ID - 1 && field < IPV4_HEADER) how.csum_start = IPV4_HEADER;
  }
  return how;
}

static void step_frame(void) {
  static uint8_t frame[sizeof(struct virtio_net_hdr) + UINT16_MAX];
  uint8_t *packet = frame + sizeof(struct virtio_net_hdr), kind = take8(), addresses[8];
  size_t length = make_packet(packet, kind & 1 ? payload_size(take16()) : take8());
  struct virtio_net_hdr how = take_header(packet, length, kind);
  number(packet, how.gso_size > 0 ? MOST_SEGMENTS + 1 : 1); /* it may be cut smaller than it asks for */
  uint16_t id = read16(packet + IPV4_ID);
  memcpy(addresses, packet + IPV4_SOURCE, sizeof addresses);
  finish_checksums(packet, length, kind & 2);
  spoil(packet, length);
  write16(packet + IPV4_ID, id);
  memcpy(packet + IPV4_SOURCE, addresses, sizeof addresses);
  memcpy(frame, &how, sizeof how);
  length += sizeof how;
  if (kind & 128) length -= take16() % length;
  add_frame(frame, length);
}

/* Another header, but a right one: without it hardly any would be both. */
static void change_header(uint8_t *packet, size_t length) {
  size_t at = take8() % 40;
  if (at == 0 || at == IPV4_LENGTH || at == IPV4_LENGTH + 1 || at == IPV4_PROTOCOL || at >= length) return;
  packet[at] ^= take8();
  finish_checksums(packet, length, true);
}

static void spoil_and_send(uint8_t *packet, size_t length, uint8_t kind) {
  uint32_t sender = OTHER;
  if (kind & 1) change_header(packet, length);
  if (kind & 2) spoil(packet, length);
  if (kind & 4) length -= take16() % length;
  if (kind & 8) length += take8() % 8;
  if (kind & 16) sender = take8() & 1 ? OWN : 0x01020304;
  add(&wire, packet, length, sender);
}

/* Some that follow each other, of which the input spoils one or another. */
static void step_datagrams(void) {
  static uint8_t packet[UINT16_MAX + 8], copy[sizeof packet];
  uint8_t kind = take8();
  size_t length = make_packet(packet, kind & 1 ? take16() % 4000 : kind & 2 ? 100 : take8());
  uint8_t spoilt = take8();
  for (unsigned i = 0, count = 1 + take8() % 20; i < count; i++) {
    finish_checksums(packet, length, !(kind & 4));
    memcpy(copy, packet, length);
    spoil_and_send(copy, length, spoilt % 32 == i ? kind >> 3 : 0);
    follow_up(packet, length);
  }
}

static void set_up(void) {
  static const struct peer PEERS[] = {{0x0a090100, 24, OTHER}, {0x0a090200, 24, OTHER}, {0x0a090208, 32, OWN}};
  if (inbox.room) return;
  out.peers = in.peers = peers_make(PEERS, 3);
  out.tunnel_address = 0x0a090100;
  out.counters = in.counters = in.coalescer.counters = transmitter.counters = &counters;
  out.back.write = take_answer;
  out.ways = transmitter.ways = &ways;
  out.send = send_all;
  out.to = &transmitter;
  transmitter.meanwhile = receive_meanwhile;
  in.coalescer.sink.write = write_to_device;
  outbox_empty(&out.outbox);
  CHECK(inbox_init(&inbox, -1, &counters));
}

void fuzz_report(void) {
#define SHOW(name, text) printf("%s %llu\n", text, (unsigned long long)counted(&counters, name));
  COUNTERS(SHOW)
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  set_up();
  input = data;
  left = size;
  memset(next_id, 0, sizeof next_id);
  memset(last_id, 0, sizeof last_id);
  memset(&ways, 0, sizeof ways);
  memset(refusals, 0, sizeof refusals);
  now = 0;
  way_mtu = MTUS[take8() % 4];
  uint8_t traits = take8();
  in.accept_any = traits % 8 == 0;
  in.coalescer.tcp = traits & 8 || traits & 16;
  in.coalescer.udp = traits & 32 || traits & 16;
  in.coalescer.next = 0;
  transmitter.gso = traits & 64 || traits & 2;
  transmitter.stuck = false;
  joins_received = traits & 128;
  while (left > 0) {
    uint8_t step = take8();
    if (step < 110) step_frame();
    else if (step < 210) step_datagrams();
    else if (step < 214) step_peers();
    else if (step < 244) flush_outbound();
    else if (step < 248) now += take16() % 2000;
    else receive();
    if (wire.count > MOST_PACKETS / 2) receive();
  }
  flush_outbound();
  receive();
  return 0;
}
