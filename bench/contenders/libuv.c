// libuv.c: what Node stands on, without Node: echo, datagrams and receiving over libuv's streams, with its
// own idioms (a write request for each write that does not go at once).
//
//   libuv echo | udp | sink        prints "port N"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct request {
  union {
    uv_write_t write;
    uv_udp_send_t send;
  } kind;
  char data[];
};

static char memory[256 * 1024];
static int echoing;

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(memory, sizeof memory);
}

static void on_closed(uv_handle_t* handle) { free(handle); }

static void on_written(uv_write_t* request, int status) {
  (void)status;
  free(request);
}

static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count < 0) {
    if (!uv_is_closing((uv_handle_t*)stream)) uv_close((uv_handle_t*)stream, on_closed);
    return;
  }
  if (!echoing || count == 0) return;
  uv_buf_t out = uv_buf_init(buffer->base, (unsigned)count);
  int sent = uv_try_write(stream, &out, 1);
  if (sent == count) return;
  if (sent < 0) sent = 0;
  size_t left = (size_t)(count - sent);
  struct request* request = malloc(sizeof *request + left);
  memcpy(request->data, buffer->base + sent, left);
  out = uv_buf_init(request->data, (unsigned)left);
  uv_write(&request->kind.write, stream, &out, 1, on_written);
}

static void on_connection(uv_stream_t* server, int status) {
  if (status < 0) return;
  uv_tcp_t* client = malloc(sizeof *client);
  uv_tcp_init(server->loop, client);
  if (uv_accept(server, (uv_stream_t*)client) == 0) {
    uv_tcp_nodelay(client, 1);
    uv_read_start((uv_stream_t*)client, on_alloc, on_read);
  } else {
    uv_close((uv_handle_t*)client, on_closed);
  }
}

static void on_datagram(uv_udp_t* socket, ssize_t count, const uv_buf_t* buffer, const struct sockaddr* from,
                        unsigned flags) {
  (void)flags;
  if (count < 0 || from == NULL) return;
  uv_buf_t out = uv_buf_init(buffer->base, (unsigned)count);
  uv_udp_try_send(socket, &out, 1, from);
}

int main(int argc, char** argv) {
  uv_loop_t* loop = uv_default_loop();
  struct sockaddr_in address;
  int length = sizeof address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  if (argc < 2) return 2;
  signal(SIGPIPE, SIG_IGN);
  echoing = strcmp(argv[1], "sink") != 0;
  uv_tcp_t server;
  uv_udp_t socket;
  if (strcmp(argv[1], "udp") == 0) {
    uv_udp_init(loop, &socket);
    uv_udp_bind(&socket, (struct sockaddr*)&address, 0);
    uv_udp_recv_start(&socket, on_alloc, on_datagram);
    uv_udp_getsockname(&socket, (struct sockaddr*)&address, &length);
  } else {
    uv_tcp_init(loop, &server);
    uv_tcp_bind(&server, (struct sockaddr*)&address, 0);
    uv_listen((uv_stream_t*)&server, 511, on_connection);
    uv_tcp_getsockname(&server, (struct sockaddr*)&address, &length);
  }
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
