// load.c: the load generator. It keeps a server busy in one of seven ways, for a fixed time or amount, and
// prints one line of JSON: how many operations, in which time, how much processor time *the server's process*
// took meanwhile (all threads, from the kernel's own clock of that process, in nanoseconds), and how long a
// message was under way.
//
//   load echo     keeps `pipeline` messages of `size` bytes under way on each of `connections` TCP
//   connections (or TLS) load udp      the same with datagrams load http     the same with GET requests,
//   whose responses have `size` bytes load connect  keeps `connections` short connections under way: connect,
//   one message there and back, close; without a
//                 message (size=0) half-close and wait for the end
//   load hold     `connections` connections that stay open: the server's memory for each
//   load source   sends `bytes` and waits for the end
//   load sink     receives until the end
//
// Arguments are name=value: port, pid, core, connections, size, pipeline, warm (ms), time (ms), bytes, tls.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<openssl/ssl.h>)
#include <openssl/ssl.h>
#define HAS_TLS 1
#else
typedef void SSL;
#endif

enum { kBufferSize = 1 << 20, kEvents = 512, kSubBuckets = 64, kBuckets = 40 * kSubBuckets };

static long port, pid, core, connections = 1, size = 64, pipeline = 1, warm_ms = 50, time_ms = 300, bytes,
                             tls;
static char buffer[kBufferSize];
static char outgoing[kBufferSize];
static long request_size;  // `size`, but for http
static const char http_request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

static void fail(const char* what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// -- what the server used
// ------------------------------------------------------------------------------------------------

static clockid_t server_clock;

static uint64_t server_cpu_ns(void) {
  struct timespec time;
  if (clock_gettime(server_clock, &time) < 0) fail("clock of the server");
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Anonymous memory of the server that is resident.
static long server_memory(void) {
  char path[64], line[256];
  long kib = -1;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE* file = fopen(path, "r");
  if (file == NULL) fail(path);
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
  }
  fclose(file);
  return kib * 1024;
}

// How long this process was ready to run and had no processor: somebody else was on it.
static uint64_t own_delay_ns(void) {
  unsigned long long ran = 0, delayed = 0;
  FILE* file = fopen("/proc/self/schedstat", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%llu %llu", &ran, &delayed) != 2) delayed = 0;
  fclose(file);
  return delayed;
}

// -- latency: buckets of 1/64 of a power of two
// -----------------------------------------------------------------------------

static uint64_t histogram[kBuckets];

static void record(uint64_t ns) {
  int shift = 0;
  while (ns >> shift >= 2 * kSubBuckets) shift++;
  uint64_t bucket = (uint64_t)shift * kSubBuckets + (ns >> shift);
  histogram[bucket < kBuckets ? bucket : kBuckets - 1]++;
}

static double percentile_us(double share) {
  uint64_t total = 0, seen = 0;
  for (int i = 0; i < kBuckets; i++) total += histogram[i];
  for (int i = 0; i < kBuckets; i++) {
    seen += histogram[i];
    if (seen > 0 && (double)seen >= share * (double)total) {
      int shift = i < 2 * kSubBuckets ? 0 : i / kSubBuckets - 1;
      return (double)((uint64_t)(i - shift * kSubBuckets) << shift) / 1000;
    }
  }
  return 0;
}

// -- the measured window
// ----------------------------------------------------------------------------------------------------

static uint64_t operations, start_ns, start_cpu, start_operations, start_delay, deadline_ns;
static int measuring;

static void begin_window(void) {
  memset(histogram, 0, sizeof histogram);
  measuring = 1;
  start_operations = operations;
  start_delay = own_delay_ns();
  start_ns = now_ns();
  start_cpu = server_cpu_ns();
}

static void end_window(long memory) {
  uint64_t cpu = server_cpu_ns() - start_cpu;
  uint64_t elapsed = now_ns() - start_ns;
  printf("{\"operations\":%llu,\"seconds\":%.6f,\"cpuNs\":%llu,\"waited\":%.4f",
         (unsigned long long)(operations - start_operations), (double)elapsed / 1e9, (unsigned long long)cpu,
         (double)(own_delay_ns() - start_delay) / (double)elapsed);
  if (memory >= 0) printf(",\"memory\":%ld", memory);
  printf(",\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f}\n", percentile_us(0.5), percentile_us(0.99),
         percentile_us(0.999));
  exit(0);
}

// Called after each batch of events: warm first, then measure, then end.
static void tick(uint64_t now) {
  if (now < deadline_ns) return;
  if (measuring) end_window(-1);
  begin_window();
  deadline_ns = now_ns() + (uint64_t)time_ms * 1000000u;
}

// -- connections
// ---------------------------------------------------------------------------------------------------------------

struct connection {
  int fd;
  SSL* ssl;
  int connecting;   // `connect`: not connected yet, or in the handshake
  int wants_write;  // registered for writing
  long to_send;     // bytes
  long received;    // bytes of the message that is arriving
  long head;        // of the ring of send times
  uint64_t* sent_at;
};

static int epoll_fd;

#ifdef HAS_TLS
static SSL_CTX* context;

static int tls_result(SSL* ssl, int result) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      errno = ECONNRESET;
      return -1;
  }
}
#endif

static long receive(struct connection* connection, size_t length) {
#ifdef HAS_TLS
  if (connection->ssl) {
    int result = SSL_read(connection->ssl, buffer, (int)length);
    return result > 0 ? result : tls_result(connection->ssl, result);
  }
#endif
  return recv(connection->fd, buffer, length, MSG_DONTWAIT);
}

static long transmit(struct connection* connection, size_t length) {
#ifdef HAS_TLS
  if (connection->ssl) {
    int result = SSL_write(connection->ssl, outgoing, (int)length);
    return result > 0 ? result : tls_result(connection->ssl, result);
  }
#endif
  return send(connection->fd, outgoing, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static struct sockaddr_in address_of(uint32_t host, long port_number) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_number)};
  address.sin_addr.s_addr = htonl(host);
  return address;
}

// Each connection comes from another of 200 local addresses: one alone runs out of ports.
static int open_socket(int type, int flags) {
  static uint32_t source;
  int fd = socket(AF_INET, type | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) fail("socket");
  int one = 1;
  if (type == SOCK_STREAM) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    struct sockaddr_in from = address_of(INADDR_LOOPBACK + 1 + source++ % 200, 0);
    if (bind(fd, (struct sockaddr*)&from, sizeof from) < 0) fail("bind");
  }
  struct sockaddr_in to = address_of(INADDR_LOOPBACK, port);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) < 0 && errno != EINPROGRESS) fail("connect");
  return fd;
}

static void watch(struct connection* connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, operation, connection->fd, &event) < 0) fail("epoll_ctl");
}

// Sends what is due; watches for room when there is none.
static void flush(struct connection* connection) {
  while (connection->to_send > 0) {
    long n =
        transmit(connection, (size_t)(connection->to_send < kBufferSize ? connection->to_send : kBufferSize));
    if (n < 0) {
      if (errno != EAGAIN) fail("send");
      break;
    }
    connection->to_send -= n;
    if (request_size != size && n % request_size != 0) fail("a request went in pieces");
  }
  int wants_write = connection->to_send > 0;
  if (wants_write != connection->wants_write) {
    connection->wants_write = wants_write;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN | (wants_write ? EPOLLOUT : 0u));
  }
}

static void start_tls(struct connection* connection) {
#ifdef HAS_TLS
  if (!tls) return;
  connection->ssl = SSL_new(context);
  SSL_set_fd(connection->ssl, connection->fd);
  SSL_set_connect_state(connection->ssl);
#else
  if (tls) fail("built without OpenSSL");
  (void)connection;
#endif
}

// -- echo and udp
// ---------------------------------------------------------------------------------------------------------------

static void messages_back(struct connection* connection, long count) {
  uint64_t now = now_ns();
  for (long i = 0; i < count; i++) {
    record(now - connection->sent_at[connection->head]);
    connection->sent_at[connection->head] = now;
    connection->head = (connection->head + 1) % pipeline;
  }
  operations += (uint64_t)count;
}

static void read_stream(struct connection* connection) {
  long n;
  // With TLS bytes may wait inside of OpenSSL, where epoll does not see them.
  while ((n = receive(connection, kBufferSize)) > 0) {
    connection->received += n;
    long count = connection->received / size;
    connection->received %= size;
    messages_back(connection, count);
    connection->to_send += count * request_size;
    flush(connection);
    if (!connection->ssl) return;
  }
  if (n == 0) {
    errno = ECONNRESET;
    fail("the server closed a connection");
  }
  if (errno != EAGAIN) fail("recv");
}

static void read_datagrams(struct connection* connection) {
  while (recv(connection->fd, buffer, kBufferSize, MSG_DONTWAIT) >= 0) {
    messages_back(connection, 1);
    if (send(connection->fd, outgoing, (size_t)size, 0) < 0) fail("send");
  }
}

static void run_messages(int type) {
  struct connection* all = calloc((size_t)connections, sizeof *all);
  for (long i = 0; i < connections; i++) {
    struct connection* connection = &all[i];
    connection->fd = open_socket(type, 0);
    connection->sent_at = calloc((size_t)pipeline, sizeof(uint64_t));
    start_tls(connection);
#ifdef HAS_TLS
    if (connection->ssl && SSL_connect(connection->ssl) != 1) fail("handshake");
#endif
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
  }
  for (long i = 0; i < connections; i++) {
    uint64_t now = now_ns();
    for (long j = 0; j < pipeline; j++) all[i].sent_at[j] = now;
    if (type == SOCK_STREAM) {
      all[i].to_send = pipeline * request_size;
      flush(&all[i]);
    } else {
      for (long j = 0; j < pipeline; j++) send(all[i].fd, outgoing, (size_t)size, 0);
    }
  }
  deadline_ns = now_ns() + (uint64_t)warm_ms * 1000000u;
  for (;;) {
    struct epoll_event events[kEvents];
    int count = epoll_wait(epoll_fd, events, kEvents, 1000);
    if (count == 0 && type == SOCK_DGRAM) {
      for (long i = 0; i < connections; i++) send(all[i].fd, outgoing, (size_t)size, 0);  // One was lost.
    }
    for (int i = 0; i < count; i++) {
      struct connection* connection = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush(connection);
      if (events[i].events & ~(uint32_t)EPOLLOUT) {
        if (type == SOCK_STREAM)
          read_stream(connection);
        else
          read_datagrams(connection);
      }
    }
    tick(now_ns());
  }
}

// -- connect
// ------------------------------------------------------------------------------------------------------------------------

static void next_connection(struct connection* connection) {
  connection->fd = open_socket(SOCK_STREAM, SOCK_NONBLOCK);
  start_tls(connection);
  connection->connecting = 1;
  connection->received = 0;
  connection->sent_at[0] = now_ns();
  watch(connection, EPOLL_CTL_ADD, EPOLLOUT);
}

static void connection_done(struct connection* connection) {
  record(now_ns() - connection->sent_at[0]);
  operations++;
#ifdef HAS_TLS
  if (connection->ssl) {
    SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    connection->ssl = NULL;
  }
#endif
  close(connection->fd);
  next_connection(connection);
}

static void advance_connection(struct connection* connection) {
  if (connection->connecting) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    if (error != 0) fail("connect");
#ifdef HAS_TLS
    if (connection->ssl) {
      int result = SSL_do_handshake(connection->ssl);
      if (result != 1) {
        if (tls_result(connection->ssl, result) == 0 || errno != EAGAIN) fail("handshake");
        watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        return;
      }
    }
#endif
    connection->connecting = 0;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    if (size == 0)
      shutdown(connection->fd, SHUT_WR);
    else if (transmit(connection, (size_t)size) != size)
      fail("send");
    return;
  }
  long n = receive(connection, kBufferSize);
  if (n < 0) {
    if (errno == EAGAIN) return;
    fail("recv");
  }
  connection->received += n;
  if (n == 0 && size > 0) fail("the server closed a connection");
  if (n == 0 || (size > 0 && connection->received >= size)) connection_done(connection);
}

static void run_connects(void) {
  struct connection* all = calloc((size_t)connections, sizeof *all);
  for (long i = 0; i < connections; i++) {
    all[i].sent_at = calloc(1, sizeof(uint64_t));
    next_connection(&all[i]);
  }
  deadline_ns = now_ns() + (uint64_t)warm_ms * 1000000u;
  for (;;) {
    struct epoll_event events[kEvents];
    int count = epoll_wait(epoll_fd, events, kEvents, 1000);
    for (int i = 0; i < count; i++) advance_connection(events[i].data.ptr);
    tick(now_ns());
  }
}

// -- hold
// -----------------------------------------------------------------------------------------------------------------------------

static void open_and_use(long count) {
  for (long i = 0; i < count; i++) {
    int fd = open_socket(SOCK_STREAM, 0);
    if (send(fd, outgoing, (size_t)size, MSG_NOSIGNAL) != size) fail("send");
    if (recv(fd, buffer, (size_t)size, MSG_WAITALL) != size) fail("recv");
    operations++;
  }
}

static void run_hold(void) {
  open_and_use(1000);  // What the server makes once only is there now.
  usleep(200000);
  long before = server_memory();
  begin_window();
  open_and_use(connections);
  usleep(300000);
  end_window((server_memory() - before) / connections);
}

// -- bulk
// -------------------------------------------------------------------------------------------------------------------------------

static void run_bulk(int sending) {
  int fd = open_socket(SOCK_STREAM, 0);
  begin_window();
  if (sending) {
    for (long left = bytes; left > 0;) {
      long n = send(fd, outgoing, (size_t)(left < 262144 ? left : 262144), MSG_NOSIGNAL);
      if (n <= 0) fail("send");
      left -= n;
      operations += (uint64_t)n;
    }
    shutdown(fd, SHUT_WR);
    while (recv(fd, buffer, kBufferSize, 0) > 0) continue;
  } else {
    // MSG_TRUNC: the bytes are counted and dropped in the kernel, so that the generator is never the slower
    // one.
    for (long n; (n = recv(fd, NULL, 4 << 20, MSG_TRUNC)) != 0; operations += (uint64_t)n) {
      if (n < 0) fail("recv");
    }
    if (bytes > 0 && operations != (uint64_t)bytes) {
      fprintf(stderr, "load: %llu bytes came instead of %ld\n", (unsigned long long)operations, bytes);
      exit(1);
    }
  }
  end_window(-1);
}

int main(int argc, char** argv) {
  const struct {
    const char* name;
    long* value;
  } parameters[] = {{"port", &port},    {"pid", &pid},
                    {"core", &core},    {"connections", &connections},
                    {"size", &size},    {"pipeline", &pipeline},
                    {"warm", &warm_ms}, {"time", &time_ms},
                    {"bytes", &bytes},  {"tls", &tls}};
  for (int i = 2; i < argc; i++) {
    char* equals = strchr(argv[i], '=');
    size_t found = 0, count = sizeof parameters / sizeof *parameters;
    while (equals && found < count &&
           strncmp(argv[i], parameters[found].name, (size_t)(equals - argv[i])) != 0)
      found++;
    if (!equals || found == count) {
      fprintf(stderr, "load: what is %s?\n", argv[i]);
      return 2;
    }
    *parameters[found].value = atol(equals + 1);
  }

  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET((int)core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) < 0) perror("load: sched_setaffinity");
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGPIPE, SIG_IGN);
  alarm((unsigned)((warm_ms + time_ms) / 1000 + 20));  // Whatever happens, it ends.
  if (clock_getcpuclockid((pid_t)pid, &server_clock) != 0) fail("clock of the server");
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
#ifdef HAS_TLS
  if (tls) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
#endif

  const char* kind = argc > 1 ? argv[1] : "";
  request_size = size;
  if (strcmp(kind, "http") == 0) {
    request_size = (long)strlen(http_request);
    for (long at = 0; at + request_size <= kBufferSize; at += request_size) {
      memcpy(outgoing + at, http_request, (size_t)request_size);
    }
  }
  if (strcmp(kind, "echo") == 0 || strcmp(kind, "http") == 0) run_messages(SOCK_STREAM);
  if (strcmp(kind, "udp") == 0) run_messages(SOCK_DGRAM);
  if (strcmp(kind, "connect") == 0) run_connects();
  if (strcmp(kind, "hold") == 0) run_hold();
  if (strcmp(kind, "source") == 0) run_bulk(1);
  if (strcmp(kind, "sink") == 0) run_bulk(0);
  fprintf(stderr, "load: echo, http, udp, connect, hold, source or sink, not '%s'\n", kind);
  return 2;
}
