// epoll.c: the floor: what the kernel takes, and next to nothing above it. One thread, level-triggered epoll,
// reads of 256 KiB as asyncio's, a send at once, the rest when there is room.
//
//   epoll echo | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH | sink        prints "port N"

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if __has_include(<openssl/ssl.h>)
#include <openssl/ssl.h>
#define HAS_TLS 1
#else
typedef void SSL;
#endif

enum mode { kEcho, kUdp, kTls, kSource, kSendfile, kSink };
enum { kReadSize = 256 * 1024, kEvents = 1024 };

struct connection {
  int fd;
  SSL* ssl;
  int handshaking;
  char* pending;  // bytes that found no room, malloc'ed
  size_t pending_offset, pending_size;
  off_t left;    // source, sendfile: bytes to go
  off_t offset;  // sendfile
};

static enum mode mode;
static int epoll_fd, listener, file_fd;
static long total, piece;
static char buffer[kReadSize];
static char* zeros;
#ifdef HAS_TLS
static SSL_CTX* context;
#endif

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void watch(struct connection* connection, int fd, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, operation, fd, &event) < 0) fail("epoll_ctl");
}

static void drop(struct connection* connection) {
#ifdef HAS_TLS
  if (connection->ssl) SSL_free(connection->ssl);
#endif
  close(connection->fd);
  free(connection->pending);
  free(connection);
}

// -1 with EAGAIN when there is nothing yet, or no room.
static ssize_t io(struct connection* connection, const char* data, size_t size) {
#ifdef HAS_TLS
  if (connection->ssl) {
    int n = data ? SSL_write(connection->ssl, data, (int)size) : SSL_read(connection->ssl, buffer, (int)size);
    if (n > 0) return n;
    int reason = SSL_get_error(connection->ssl, n);
    errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return reason == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }
#endif
  return data ? send(connection->fd, data, size, MSG_NOSIGNAL) : recv(connection->fd, buffer, size, 0);
}

// 0: all of it is gone. 1: the rest waits. -1: the connection is dropped.
static int write_or_keep(struct connection* connection, const char* data, size_t size) {
  ssize_t n = io(connection, data, size);
  if (n == (ssize_t)size) return 0;
  if (n < 0) {
    if (errno != EAGAIN) {
      drop(connection);
      return -1;
    }
    n = 0;
  }
  connection->pending_size = size - (size_t)n;
  connection->pending_offset = 0;
  connection->pending = malloc(connection->pending_size);
  memcpy(connection->pending, data + n, connection->pending_size);
  watch(connection, connection->fd, EPOLL_CTL_MOD, EPOLLOUT);
  return 1;
}

static void read_ready(struct connection* connection) {
#ifdef HAS_TLS
  if (connection->handshaking) {
    int result = SSL_do_handshake(connection->ssl);
    if (result != 1) {
      int reason = SSL_get_error(connection->ssl, result);
      if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) drop(connection);
      return;
    }
    connection->handshaking = 0;
  }
#endif
  for (;;) {
    ssize_t n = io(connection, NULL, kReadSize);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      drop(connection);
      return;
    }
    if (mode != kSink && write_or_keep(connection, buffer, (size_t)n) != 0) return;
    if (!connection->ssl)
      return;  // Level-triggered: what is left is told again. OpenSSL's own buffer is not.
  }
}

static void write_ready(struct connection* connection) {
  if (mode == kSource || mode == kSendfile) {
    while (connection->left > 0) {
      size_t want = (size_t)(connection->left < piece ? connection->left : piece);
      ssize_t n = mode == kSource
                      ? send(connection->fd, zeros, want, MSG_NOSIGNAL)
                      : sendfile(connection->fd, file_fd, &connection->offset, (size_t)connection->left);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) break;
      connection->left -= n;
    }
    drop(connection);
    return;
  }
  ssize_t n = io(connection, connection->pending + connection->pending_offset, connection->pending_size);
  if (n < 0) {
    if (errno != EAGAIN) drop(connection);
    return;
  }
  connection->pending_offset += (size_t)n;
  connection->pending_size -= (size_t)n;
  if (connection->pending_size > 0) return;
  free(connection->pending);
  connection->pending = NULL;
  watch(connection, connection->fd, EPOLL_CTL_MOD, EPOLLIN);
  if (connection->ssl) read_ready(connection);
}

static void accept_ready(void) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection* connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    connection->left = total;
#ifdef HAS_TLS
    if (mode == kTls) {
      connection->ssl = SSL_new(context);
      SSL_set_fd(connection->ssl, fd);
      SSL_set_accept_state(connection->ssl);
      connection->handshaking = 1;
    }
#endif
    watch(connection, fd, EPOLL_CTL_ADD, mode == kSource || mode == kSendfile ? EPOLLOUT : EPOLLIN);
  }
}

static void datagrams_ready(void) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  ssize_t n;
  while ((n = recvfrom(listener, buffer, kReadSize, 0, (struct sockaddr*)&address, &length)) >= 0) {
    sendto(listener, buffer, (size_t)n, 0, (struct sockaddr*)&address, length);
    length = sizeof address;
  }
}

static void listen_somewhere(void) {
  int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  listener = socket(AF_INET, (mode == kUdp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0) fail("bind");
  if (mode != kUdp && listen(listener, 511) < 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&address, &length);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

int main(int argc, char** argv) {
  static const char* const names[] = {"echo", "udp", "tls", "source", "sendfile", "sink"};
  size_t known = sizeof names / sizeof *names, index = 0;
  while (argc > 1 && index < known && strcmp(argv[1], names[index]) != 0) index++;
  if (argc < 2 || index == known) return 2;
  mode = (enum mode)index;
  signal(SIGPIPE, SIG_IGN);
  if (mode == kSource) {
    total = atol(argv[2]);
    piece = atol(argv[3]);
    zeros = calloc(1, (size_t)piece);
  }
  if (mode == kSendfile) {
    struct stat status;
    file_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (file_fd < 0 || fstat(file_fd, &status) < 0) fail(argv[2]);
    total = piece = status.st_size;
  }
  if (mode == kTls) {
#ifdef HAS_TLS
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1) {
      fail("certificate");
    }
#else
    fprintf(stderr, "built without OpenSSL\n");
    return 3;
#endif
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  listen_somewhere();
  watch(NULL, listener, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    struct epoll_event events[kEvents];
    int count = epoll_wait(epoll_fd, events, kEvents, -1);
    for (int i = 0; i < count; i++) {
      struct connection* connection = events[i].data.ptr;
      if (connection == NULL) {
        if (mode == kUdp)
          datagrams_ready();
        else
          accept_ready();
      } else if (events[i].events & EPOLLOUT) {
        write_ready(connection);
      } else {
        read_ready(connection);
      }
    }
  }
}
