{
  "variables": {
    "addon_sources": [
      "native/addon.cc",
      "native/bridge/address_wrap.cc",
      "native/bridge/file_wrap.cc",
      "native/bridge/host_nudge.cc",
      "native/bridge/host_watch.cc",
      "native/bridge/host_watch_wrap.cc",
      "native/bridge/hot_calls.cc",
      "native/bridge/nested_engine.cc",
      "native/bridge/message_wrap.cc",
      "native/bridge/process_wrap.cc",
      "native/bridge/resolve_wrap.cc",
      "native/bridge/selector_wrap.cc",
      "native/bridge/signal_wrap.cc",
      "native/bridge/socket_wrap.cc",
      "native/bridge/thread_engine.cc"
    ],
    "addon_sources_mingw": ["native/base/terminate_mingw.cc", "native/bridge/delay_load_windows.cc"],
    "core_sources_common": [
      "native/base/errno_table.cc",
      "native/selector/registry.cc",
      "native/selector/selector.cc",
      "native/selector/waiter.cc",
      "native/socket/address.cc",
      "native/socket/constants.cc",
      "native/socket/control.cc",
      "native/socket/resolve.cc",
      "native/socket/wake_end.cc"
    ],
    "core_sources_posix": [
      "native/base/errno_message_posix.cc",
      "native/base/library_pin_posix.cc",
      "native/base/thread_posix.cc",
      "native/base/wake_pipe.cc",
      "native/process/child_posix.cc",
      "native/process/spawn_posix.cc",
      "native/process/signal_posix.cc",
      "native/selector/poll.cc",
      "native/selector/select.cc",
      "native/socket/file_posix.cc",
      "native/socket/message_posix.cc",
      "native/socket/resolve_posix.cc",
      "native/socket/socket_posix.cc"
    ],
    "core_sources_linux": [
      "native/base/glibc_floor.cc",
      "native/process/close_others_linux.cc",
      "native/process/pidfd_linux.cc",
      "native/selector/epoll.cc",
      "native/selector/leaves_linux.cc",
      "native/socket/link_address_linux.cc",
      "native/socket/message_batch_linux.cc",
      "native/socket/send_file_linux.cc"
    ],
    "core_sources_bsd": [
      "native/process/pidfd_none.cc",
      "native/selector/kqueue.cc",
      "native/selector/leaves_bsd.cc",
      "native/socket/link_address_none.cc",
      "native/socket/message_batch_none.cc"
    ],
    "core_sources_mac": ["native/process/close_others_mac.cc", "native/socket/send_file_mac.cc"],
    "core_sources_freebsd": ["native/process/close_others_bsd.cc", "native/socket/send_file_freebsd.cc"],
    "core_sources_openbsd": ["native/process/close_others_bsd.cc", "native/socket/send_file_none.cc"],
    "core_sources_windows": [
      "native/base/errno_message_windows.cc",
      "native/base/library_pin_windows.cc",
      "native/base/loopback_pair_windows.cc",
      "native/base/thread_windows.cc",
      "native/base/wake_pipe_windows.cc",
      "native/base/winsock.cc",
      "native/process/process_none.cc",
      "native/process/signal_none.cc",
      "native/selector/afd.cc",
      "native/selector/iocp.cc",
      "native/selector/leaves_windows.cc",
      "native/selector/select_windows.cc",
      "native/socket/file_windows.cc",
      "native/socket/link_address_none.cc",
      "native/socket/message_batch_none.cc",
      "native/socket/message_windows.cc",
      "native/socket/resolve_windows.cc",
      "native/socket/send_file_windows.cc",
      "native/socket/socket_windows.cc"
    ]
  }
}
