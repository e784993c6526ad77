// types.ts: everything that C++ offers, with shapes and units. This is the whole border: numbers, strings
// and bytes go down, numbers come back. Policy (retries, buffering, closing, choosing) stays above it.
//
// Conventions of every function here:
//  - the result is `>= 0` on success and `-errno` on failure, in the platform's own numbering (POSIX names on
//    Windows too); lib/native/check.ts is the one place where a negative number becomes an exception;
//  - a call never blocks unless its comment says so, never retries anything but EINTR (and `connect` not
//    even that), never closes a descriptor on error;
//  - an argument of the wrong JavaScript type throws a TypeError with `code: 'ERR_INVALID_ARG_TYPE'`; that is the
//    only exception that native makes. Callers in lib/ check first, so that it is a safety net;
//  - buffers are looked up again in each call: a detached one counts as empty, and an offset or length
//    outside the view gives `-EINVAL` without touching memory;
//  - nothing keeps a pointer into a JavaScript buffer after the call returns.

/** A file descriptor: a non-negative int32 (on Windows a SOCKET that fits one). */
export type Fd = number;

/** `>= 0` on success, `-errno` on failure. */
export type Result = number;

/**
 * Readable (1) and writable (2), or both (3): asyncio's `EVENT_READ` and `EVENT_WRITE`. Outside of asyncio's contract:
 * priority (0x10000: epoll, iocp, poll, select), which is reported too and counts as neither direction; edge-triggered (0x20000:
 * epoll, kqueue); one-shot (0x40000: epoll). A facility ignores the bits that it does not have.
 */
export type EventMask = number;

/** One kernel readiness facility. Guarantees: level-triggered unless asked otherwise, at most one entry for a descriptor in
 * one `waitFor`. Not guaranteed: any order but the kernel's own. */
export interface NativeSelector {
  /** 'epoll', 'iocp', 'kqueue', 'poll', 'select'. */
  readonly name: string;
  /** The facility's own descriptor, which another selector can watch for "something is ready"; -1 if it has none. */
  readonly fd: number;
  /** Its number in this environment, for `waitFor`, `addTo`, `modifyIn` and `removeFrom`; never given to another one. */
  readonly number: number;
  /** Releases the facility. May be called again; every verb that is given its number then answers `-EBADF`. */
  close(): void;
}

/** How a host loop (libuv's) learns that a selector has something to report. */
export type HostWatchMode =
  /** The selector's own descriptor is watched by the host loop. Needs `selector.fd >= 0` and libuv. */
  | 'nested'
  /** A thread waits on the selector and wakes the host loop through a threadsafe function. Works everywhere. */
  | 'thread';

/** The one place where native calls JavaScript: "the selector has something". */
export interface NativeHostWatch {
  /**
   * Arms the watch: when the selector has (or gets) something ready, `onReady` is called once from the host loop, and
   * the watch is disarmed; if `onReady` gives true and does not call `disarm`, it is armed again, which saves this call. May
   * be called when already armed. Interests changed while armed are seen.
   */
  arm(): Result;
  /** Disarms: `onReady` is not called any more until `arm`, even if readiness was already on its way. */
  disarm(): void;
  /** Whether an armed watch keeps the process alive (it does at first). */
  ref(): void;
  unref(): void;
  /** Disarms and releases everything. May be called again; `arm` then answers `-EBADF`. */
  close(): void;
}

/** A socket address as numbers and strings; which fields are there depends on the family. */
export interface NativeAddress {
  /** AF_INET, AF_INET6, AF_UNIX, ...; 0 for an empty address. */
  family: number;
  /** Numeric text form; IPv6 without a zone. '' for families other than IPv4 and IPv6. */
  host: string;
  port: number;
  flowInfo: number;
  scopeId: number;
  /**
   * AF_UNIX: the path's bytes, with the leading NUL if abstract, empty if unnamed. AF_PACKET: the hardware address.
   * Otherwise empty.
   */
  path: Uint8Array;
  /**
   * Families whose addresses are numbers; otherwise not there. AF_NETLINK: port id, groups. AF_PACKET: interface index,
   * protocol, packet type, hardware type. AF_VSOCK: context id, port. AF_CAN: interface index, rx id, tx id, low and
   * high half of the name, PGN, address; ids and name lie in the same place. Not an instance of this realm's Array.
   */
  numbers?: ArrayLike<number>;
}

/** A question that a thread of its own asks the system's resolver. An object without properties. */
export interface NativeLookup {
  readonly __lookup: never;
}

/** What the resolver said. */
export interface NativeLookupAnswer {
  /** An EAI_* number of the platform (negative on Linux, positive elsewhere); 0 is success. */
  error: number;
  /** The positive errno behind EAI_SYSTEM. */
  systemError: number;
  /** Of an address lookup, in the resolver's order. Not an instance of this realm's Array. */
  addresses: ArrayLike<{
    family: number;
    type: number;
    protocol: number;
    canonicalName: string;
    address: SockAddr;
  }>;
  /** Of a name lookup. */
  host: string;
  service: string;
}

/** A process that was spawned. An object without properties; when it is collected, the process goes on. */
export interface NativeChild {
  readonly __child: never;
}

/** Raw sockaddr bytes. A buffer of `SOCKADDR_STORAGE_SIZE` bytes fits every family. */
export type SockAddr = Uint8Array;

export interface NativeBinding {
  /** The selectors compiled into this binary, best first. */
  readonly selectorNames: readonly string[];
  /** Makes a selector by name. @returns the selector, or `-errno` (`-ENOSYS` for a name that is not compiled in) */
  createSelector(name: string): NativeSelector | Result;
  /** @returns a watch, disarmed, or `-errno` (`-ENOTSUP` where the mode cannot be had) */
  createHostWatch(selector: NativeSelector, mode: HostWatchMode, onReady: () => boolean): NativeHostWatch | Result;
  /**
   * A nested watch on any descriptor that becomes readable when its owner has something, for selectors that are not
   * ours but have a `fileno()`. The descriptor stays the caller's.
   */
  createHostWatchForFd(fd: Fd, onReady: () => boolean): NativeHostWatch | Result;
  /**
   * From now on the host's loop is woken whenever a nested watch is armed: for hosts that wait for it while it is not
   * running (Electron). May be called again. @returns 0; `-ENOTSUP` if the host has no threadsafe functions
   */
  nudgeHost(): Result;

  /** Named constants of the platform: AF_*, SOCK_*, IPPROTO_*, SOL_*, SO_*, TCP_*, IP_*, IPV6_*, MSG_*, SHUT_*, SOMAXCONN, IOV_MAX. */
  readonly constants: Readonly<Record<string, number>>;
  /** errno name -> positive number ('ECONNRESET' -> 104), for every name the platform has. */
  readonly errnoByName: Readonly<Record<string, number>>;
  /** The system's text for a positive errno: 'Connection reset by peer'. */
  errorMessage(errno: number): string;

  // Sockets. Descriptors are made close-on-exec and blocking (callers set the mode).

  socket(family: number, type: number, protocol: number): Result;
  /** Fills fds[0] and fds[1]. @returns 0 or `-errno` */
  socketpair(family: number, type: number, protocol: number, fds: Int32Array): Result;
  bind(fd: Fd, address: SockAddr, addressLength: number): Result;
  listen(fd: Fd, backlog: number): Result;
  /** EINTR is not retried. */
  connect(fd: Fd, address: SockAddr, addressLength: number): Result;
  /** Reads up to `length` bytes into `buffer` at `offset`. @returns bytes read, 0 at end of stream */
  recv(fd: Fd, buffer: Uint8Array, offset: number, length: number, flags: number): Result;
  // The calls that every message and every connection makes, in their cheapest form: without flags, with selectors by their
  // numbers, and with memory that is found fast. A room for an address gets the length of the sockaddr as an int32, and from
  // byte 8 on the sockaddr itself, for which there must be space: `-EINVAL` if not.

  /**
   * Waits until something is ready, at most `timeoutNs` nanoseconds (rounded up to what the facility can do; 0
   * polls, negative waits without limit), then fills `events` with up to `maxEvents` pairs of int32 (fd, mask).
   * Blocks the thread. An interrupted wait gives 0 entries. A reported mask has the read bit unless the kernel reported
   * output only, and the write bit unless it reported input only: errors and hang-ups count as both.
   * @returns the number of pairs, or `-errno`; `-EINVAL` when `events` has no room for `maxEvents` pairs, `-EBADF` if there is
   * no selector with this number (any more)
   */
  waitFor(selector: number, timeoutNs: number, events: ArrayBuffer, maxEvents: number): Result;
  /**
   * Starts watching. The mask is passed on unchecked; 0 watches for errors and hang-ups only. `-EEXIST` if known, `-EPERM`
   * for a regular file or a directory that would always be ready, `-ENOTSOCK` on Windows for whatever is no socket,
   * `-EBADF` as above.
   */
  addTo(selector: number, fd: Fd, mask: EventMask): Result;
  /** Replaces the mask of a watched descriptor. `-ENOENT` if unknown, `-EBADF` as above. */
  modifyIn(selector: number, fd: Fd, mask: EventMask): Result;
  /**
   * Stops watching. `-ENOENT` if unknown, `-EBADF` as above. The entry is forgotten even when the kernel's answer is an
   * error.
   */
  removeFrom(selector: number, fd: Fd): Result;
  /**
   * Accepts one connection; the new descriptor is close-on-exec and non-blocking. `peer` is a room for its address.
   * @returns the descriptor or `-errno`
   */
  acceptAt(fd: Fd, peer: ArrayBuffer): Result;
  /** `own` is a room for an address. */
  getsocknameAt(fd: Fd, own: ArrayBuffer): Result;
  /** `peer` is a room for an address. */
  getpeernameAt(fd: Fd, peer: ArrayBuffer): Result;
  /** As `setsockopt`, to an int. */
  setNumber(fd: Fd, level: number, option: number, value: number): Result;
  /** As `recv`, into `memory` from `offset` on. */
  recvAt(fd: Fd, memory: ArrayBuffer, offset: number, length: number): Result;
  /** As `recvfrom`, into `memory` from `offset` on; `sender` is a room for an address. */
  recvfromAt(fd: Fd, memory: ArrayBuffer, offset: number, length: number, sender: ArrayBuffer): Result;
  /** As `sendto`, the whole of `buffer`, to the first `addressLength` bytes of `address`. */
  sendtoFrom(fd: Fd, buffer: Uint8Array, address: ArrayBuffer, addressLength: number): Result;
  /** As `recv`, into the whole of `buffer`. */
  recvInto(fd: Fd, buffer: Uint8Array): Result;
  /** As `send`, the whole of `buffer`. */
  sendFrom(fd: Fd, buffer: Uint8Array): Result;
  /**
   * Gives memory back to the system at once: every view of it is empty then. -EINVAL if it must not be. For engines without
   * ArrayBuffer.prototype.transfer: in later ones Node-API ends the process if the memory is marked as untransferable.
   */
  detach(memory: ArrayBuffer): Result;

  /** As `recv`; the sender's sockaddr goes to `address`, its length (0 if none) to `lengths[0]`. */
  recvfrom(
    fd: Fd,
    buffer: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    address: SockAddr,
    lengths: Int32Array,
  ): Result;
  /** Never raises SIGPIPE. @returns bytes sent */
  send(fd: Fd, buffer: Uint8Array, offset: number, length: number, flags: number): Result;
  sendto(
    fd: Fd,
    buffer: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    address: SockAddr,
    addressLength: number,
  ): Result;
  /** Sends the first `count` chunks in one system call (at most IOV_MAX of them are looked at). @returns bytes sent */
  sendmsg(fd: Fd, chunks: readonly Uint8Array[], count: number, flags: number): Result;

  // Messages with all their parts. Control data is in the platform's layout; `nextControl` and `appendControl` know it.

  /**
   * Receives one message into the first `count` chunks (at most IOV_MAX of them) and its control data into `control`;
   * descriptors in it are close-on-exec, and the caller's from then on. `lengths[0]` becomes the length of the sender's
   * sockaddr, `lengths[1]` that of the control data, `lengths[2]` the message's flags (MSG_TRUNC, MSG_CTRUNC, ...).
   * @returns bytes received
   */
  recvMessage(
    fd: Fd,
    chunks: readonly Uint8Array[],
    count: number,
    flags: number,
    control: Uint8Array,
    address: SockAddr,
    lengths: Int32Array,
  ): Result;
  /**
   * Sends the first `count` chunks as one message, with control data and to an address (length 0: none). Never raises
   * SIGPIPE. @returns bytes sent; `-EMSGSIZE` for more chunks than IOV_MAX
   */
  sendMessage(
    fd: Fd,
    chunks: readonly Uint8Array[],
    count: number,
    flags: number,
    control: Uint8Array,
    controlLength: number,
    address: SockAddr,
    addressLength: number,
  ): Result;
  /**
   * Receives up to `count` messages (at most 256) in one system call, and does not wait for a second one. Message i lies
   * at `i * messageSize` in `buffer`, its control data at `i * controlSize` in `control`, its sender at
   * `i * SOCKADDR_STORAGE_SIZE` in `addresses`. `results` gets four words for each: bytes, flags, address length,
   * control length. @returns how many messages; `-ENOSYS` where there is no such call
   */
  recvMessages(
    fd: Fd,
    buffer: Uint8Array,
    messageSize: number,
    count: number,
    flags: number,
    control: Uint8Array,
    controlSize: number,
    addresses: Uint8Array,
    results: Int32Array,
  ): Result;
  /**
   * Sends up to `count` messages (at most 256) in one system call. `layout` has three words for each: how many of the
   * chunks are its own, the length of its control data, and of its address; the parts of all messages lie one behind the
   * other, without gaps, in `chunks`, `control` and `addresses`. What goes beyond IOV_MAX chunks is not looked at.
   * @returns how many messages were sent, perhaps fewer; `-ENOSYS` where there is no such call
   */
  sendMessages(
    fd: Fd,
    chunks: readonly Uint8Array[],
    count: number,
    flags: number,
    layout: Int32Array,
    control: Uint8Array,
    addresses: Uint8Array,
  ): Result;
  /** The size of an entry of control data with so many bytes, without the gap after it: CMSG_LEN. */
  controlLength(byteLength: number): Result;
  /** With the gap: CMSG_SPACE. */
  controlSpace(byteLength: number): Result;
  /**
   * Reads the entry at `offset` of control data: `entry` becomes level, type, offset and length of its bytes, as far as
   * they are there. @returns the offset of the next entry, or of the end; 0 if there is no entry at `offset`
   */
  nextControl(control: Uint8Array, length: number, offset: number, entry: Int32Array): Result;
  /** Writes an entry at `offset`. @returns the offset behind it and its gap; `-EINVAL` if there is no room */
  appendControl(control: Uint8Array, offset: number, level: number, type: number, bytes: Uint8Array): Result;

  /** `how`: SHUT_RD, SHUT_WR or SHUT_RDWR. */
  shutdown(fd: Fd, how: number): Result;
  /** Closes a descriptor of any kind. EINTR counts as success: the descriptor is gone. */
  close(fd: Fd): Result;
  /**
   * Has the environment (a worker, ...) close the socket or pipe `fd` at its end, unless `close` or `disown` came first, or
   * the number belongs to something else by then. @returns 0; on Windows `-ENOTSOCK` for what is no socket
   */
  own(fd: Fd): Result;
  /** Takes `own` back: somebody else closes it. @returns 1 if it was owned, 0 if not */
  disown(fd: Fd): Result;
  /** Fills `value`; the length that the system wrote goes to `lengths[0]`. */
  getsockopt(fd: Fd, level: number, option: number, value: Uint8Array, lengths: Int32Array): Result;
  setsockopt(fd: Fd, level: number, option: number, value: Uint8Array): Result;
  setNonBlocking(fd: Fd, on: boolean): Result;
  /** @returns 1 if the descriptor is non-blocking, 0 if not */
  getNonBlocking(fd: Fd): Result;
  setInheritable(fd: Fd, on: boolean): Result;
  /** @returns 1 if the descriptor survives exec, 0 if not */
  getInheritable(fd: Fd): Result;
  /** @returns a close-on-exec duplicate */
  dup(fd: Fd): Result;
  /**
   * Sends up to `count` bytes of a file from `offset` on, inside the kernel; the file's position is not moved.
   * @returns bytes sent, 0 at the end of the file; `-ENOSYS` where there is no such call
   */
  sendfile(outFd: Fd, inFd: Fd, offset: number, count: number): Result;
  /** Moves the position of a file. `-ESPIPE` for what has none. */
  seek(fd: Fd, position: number): Result;

  // Pipes, terminals, devices: descriptors of any kind. `-ENOSYS` on Windows.

  /** Fills fds[0], for reading, and fds[1], for writing: both block and are close-on-exec. @returns 0 or `-errno` */
  pipe(fds: Int32Array): Result;
  /** Reads up to `length` bytes into `memory` from `offset` on. @returns bytes read, 0 at the end */
  readAt(fd: Fd, memory: ArrayBuffer, offset: number, length: number): Result;
  /** Writes the whole of `buffer`, or a part. SIGPIPE has to be ignored, as Node does. @returns bytes written */
  writeFrom(fd: Fd, buffer: Uint8Array): Result;
  /** What kind of file it is, and its permissions. @returns st_mode */
  fileMode(fd: Fd): Result;

  // Addresses.

  readonly SOCKADDR_STORAGE_SIZE: number;
  /** Writes a sockaddr_in or sockaddr_in6 (by `family`) for a numeric host. @returns its length; `-EINVAL` if the host is no such literal */
  encodeInetAddress(
    family: number,
    host: string,
    port: number,
    flowInfo: number,
    scopeId: number,
    address: SockAddr,
  ): Result;
  /** Writes a sockaddr_un; a leading NUL makes it abstract. @returns its length; `-ENAMETOOLONG` */
  encodeUnixAddress(path: Uint8Array, address: SockAddr): Result;
  /**
   * Writes the sockaddr of a family whose addresses are numbers, given as in `NativeAddress` (missing ones are 0; of
   * CAN's, the name counts if it is not 0, otherwise the ids). `bytes` is AF_PACKET's hardware address.
   * @returns its length; `-EAFNOSUPPORT` for a family that has no such form here
   */
  encodeLinkAddress(family: number, numbers: Int32Array, bytes: Uint8Array, address: SockAddr): Result;
  decodeAddress(address: SockAddr, addressLength: number): NativeAddress;
  /** The number of a network interface. `-ENODEV` if none has the name */
  interfaceIndex(name: string): Result;
  /** The name of a network interface. `-ENXIO` if none has the number */
  interfaceName(index: number): string | Result;

  // Other threads. None of them ever calls JavaScript: they send a byte to a loop's self-pipe, and the loop looks.

  /**
   * Asks for the addresses of a host and a service (null: none), as getaddrinfo does, on a new thread. When the answer
   * is there, one byte is sent to the socket `wakeFd`, of which a duplicate is kept until then. The thread may outlive the
   * environment. @returns the lookup, or `-errno` if there can be no thread
   */
  startAddressLookup(
    host: string | null,
    service: string | null,
    family: number,
    type: number,
    protocol: number,
    flags: number,
    wakeFd: Fd,
  ): NativeLookup | Result;
  /** Asks for the names of an address, as getnameinfo does; otherwise as `startAddressLookup`. */
  startNameLookup(address: SockAddr, addressLength: number, flags: number, wakeFd: Fd): NativeLookup | Result;
  /** @returns the answer, once; `-EAGAIN` while there is none, and when it was given away */
  lookupAnswer(lookup: NativeLookup): NativeLookupAnswer | Result;
  /** Nobody wants the answer: the duplicate is closed now, whatever the thread still does. May be called again. */
  abandonLookup(lookup: NativeLookup): void;
  /** The system's text for an EAI_* number. */
  resolverErrorMessage(error: number): string;

  /**
   * Counts one wake in `state[1]` and sends a byte to the socket `fd` if the count was 0. From any thread; `state` is two
   * words of shared memory, all 0 at first. @returns 1; 0 if the end was closed (`fd` is not touched then)
   */
  wake(fd: Fd, state: Int32Array): Result;
  /**
   * Duplicates `fd` as an end for `wake`, guarded by `state`, which has to be all 0. An environment that ends closes what was
   * opened here and not closed. @returns the descriptor
   */
  openWakeEnd(fd: Fd, state: Int32Array): Result;
  /** Closes `fd`, or leaves it to the thread that is in `wake` just now. @returns 0; `-EBADF` if it was closed before */
  closeWakeEnd(fd: Fd, state: Int32Array): Result;

  // Child processes: what starts them, and what is about children of `spawn`. On Windows everything is `-ENOSYS`.

  /**
   * Starts a program, the first of `executables` that there is, with arguments and environment ('NAME=value') as bytes, in a
   * directory (null: this one). Answers when the child is the program, or could not become it: then `failed[0]` is a number
   * of `SpawnStep`, and nothing is left over.
   * @param fds what becomes 0, 1 and 2 (-1: the same one; -2: /dev/null), then what keeps its number, in rising order
   * @param settings flags (1: close all other descriptors, 2: treat SIGPIPE and SIGXFSZ in the usual way, 4: start a session,
   * 8: set groups), umask, process group, group, user (-1 for none of these four), then the groups to set
   */
  spawn(
    executables: readonly Uint8Array[],
    args: readonly Uint8Array[],
    environment: readonly Uint8Array[],
    directory: Uint8Array | null,
    fds: Int32Array,
    settings: Int32Array,
    failed: Int32Array,
  ): NativeChild | Result;
  /**
   * The number of a user by name, in the 32 bits of `id[0]`. It may be asked of another machine: this thread waits.
   * @returns 0; `-ENOENT` if there is nobody of that name; any other `-errno` if that could not be found out
   */
  findUser(name: string, id: Int32Array): Result;
  /** The same for a group. */
  findGroup(name: string, id: Int32Array): Result;
  childPid(child: NativeChild): Result;
  /** @returns a descriptor that becomes readable at the end of the child, closed by `reapChild`; `-ENOSYS`, `-EPERM` if there is none */
  childDescriptor(child: NativeChild): Result;
  /** Has a thread wait for the end of the child, once: a byte is sent to `wakeFd` then, as by `startAddressLookup`. */
  watchChild(child: NativeChild, wakeFd: Fd): Result;
  /** Nobody wants to know of the end: the duplicate of the descriptor is closed now. May be called again. */
  unwatchChild(child: NativeChild): Result;
  /** @returns 1 if the child has ended, 0 if not; `-ECHILD` if it was reaped */
  childHasEnded(child: NativeChild): Result;
  /**
   * The end of a child: `status[0]` is the number that it gave, or minus that of the signal which ended it.
   * @returns 0; `-EAGAIN` while it runs, `-ECHILD` if it was reaped before
   */
  reapChild(child: NativeChild, status: Int32Array): Result;
  /** @returns 0, also if the child has ended; `-ESRCH` if it was reaped */
  signalChild(child: NativeChild, signal: number): Result;

  // Signals. The arrival of one that is watched sends its number as one byte to a socket. `-ENOSYS` on Windows.

  /** @returns 1 if a signal has this number here (and it is not the C library's own), 0 if not */
  isSignal(signal: number): Result;
  /**
   * Remembers what the process does with a signal, for `releaseSignal`. From here on it is the time to make the host
   * install a handler of its own, which it must not do while the signal is watched. `fd` is the socket.
   * @returns 0; `-EINVAL` for a signal that cannot be caught, `-EEXIST` if this socket has it reserved
   */
  reserveSignal(signal: number, fd: Fd): Result;
  /**
   * Sends the signal's number to `fd` from now on, and to no other socket that watches it. The handler that the host
   * installed since `reserveSignal` goes on to be called; one from before does if `hostListens`, which says whose it is,
   * and is replaced if not. Once more, it moves to the top again. @returns 0; `-ENOENT` if it is not reserved
   */
  watchSignal(signal: number, fd: Fd, hostListens: boolean): Result;
  /** Sends nothing to `fd` any more; the one who watched the signal before is told again. */
  unwatchSignal(signal: number, fd: Fd): Result;
  /** After the last one, the process does what it did before `reserveSignal`, unless the host still listens. */
  releaseSignal(signal: number, fd: Fd): Result;
  /** @returns how often the signal came to `fd` and found the socket full, since this was last asked */
  takeMissedSignals(signal: number, fd: Fd): Result;
}
