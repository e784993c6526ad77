// errno_table.cc: the errno names of this platform. A name that the platform does not have is left out by the
// preprocessor, so the list may name everything that any platform has.
#include "base/errno_table.h"

#include <errno.h>

namespace fdloop {

namespace {

#define FDLOOP_ROW(name) {#name, static_cast<double>(name)},

constexpr NamedNumber
    kRows
        [] =
            {
#ifdef EPERM
                FDLOOP_ROW(EPERM)
#endif
#ifdef ENOENT
                    FDLOOP_ROW(ENOENT)
#endif
#ifdef ESRCH
                        FDLOOP_ROW(ESRCH)
#endif
#ifdef EINTR
                            FDLOOP_ROW(EINTR)
#endif
#ifdef EIO
                                FDLOOP_ROW(EIO)
#endif
#ifdef ENXIO
                                    FDLOOP_ROW(ENXIO)
#endif
#ifdef E2BIG
                                        FDLOOP_ROW(E2BIG)
#endif
#ifdef ENOEXEC
                                            FDLOOP_ROW(ENOEXEC)
#endif
#ifdef EBADF
                                                FDLOOP_ROW(EBADF)
#endif
#ifdef ECHILD
                                                    FDLOOP_ROW(ECHILD)
#endif
#ifdef EAGAIN
                                                        FDLOOP_ROW(EAGAIN)
#endif
#ifdef ENOMEM
                                                            FDLOOP_ROW(ENOMEM)
#endif
#ifdef EACCES
                                                                FDLOOP_ROW(EACCES)
#endif
#ifdef EFAULT
                                                                    FDLOOP_ROW(EFAULT)
#endif
#ifdef ENOTBLK
                                                                        FDLOOP_ROW(ENOTBLK)
#endif
#ifdef EBUSY
                                                                            FDLOOP_ROW(EBUSY)
#endif
#ifdef EEXIST
                                                                                FDLOOP_ROW(EEXIST)
#endif
#ifdef EXDEV
                                                                                    FDLOOP_ROW(EXDEV)
#endif
#ifdef ENODEV
                                                                                        FDLOOP_ROW(ENODEV)
#endif
#ifdef ENOTDIR
                                                                                            FDLOOP_ROW(
                                                                                                ENOTDIR)
#endif
#ifdef EISDIR
                                                                                                FDLOOP_ROW(
                                                                                                    EISDIR)
#endif
#ifdef EINVAL
                                                                                                    FDLOOP_ROW(
                                                                                                        EINVAL)
#endif
#ifdef ENFILE
                                                                                                        FDLOOP_ROW(
                                                                                                            ENFILE)
#endif
#ifdef EMFILE
                                                                                                            FDLOOP_ROW(
                                                                                                                EMFILE)
#endif
#ifdef ENOTTY
                                                                                                                FDLOOP_ROW(
                                                                                                                    ENOTTY)
#endif
#ifdef ETXTBSY
                                                                                                                    FDLOOP_ROW(
                                                                                                                        ETXTBSY)
#endif
#ifdef EFBIG
                                                                                                                        FDLOOP_ROW(
                                                                                                                            EFBIG)
#endif
#ifdef ENOSPC
                                                                                                                            FDLOOP_ROW(
                                                                                                                                ENOSPC)
#endif
#ifdef ESPIPE
                                                                                                                                FDLOOP_ROW(
                                                                                                                                    ESPIPE)
#endif
#ifdef EROFS
                                                                                                                                    FDLOOP_ROW(
                                                                                                                                        EROFS)
#endif
#ifdef EMLINK
                                                                                                                                        FDLOOP_ROW(
                                                                                                                                            EMLINK)
#endif
#ifdef EPIPE
                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                EPIPE)
#endif
#ifdef EDOM
                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                    EDOM)
#endif
#ifdef ERANGE
                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                        ERANGE)
#endif
#ifdef EDEADLK
                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                            EDEADLK)
#endif
#ifdef ENAMETOOLONG
                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                ENAMETOOLONG)
#endif
#ifdef ENOLCK
                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                    ENOLCK)
#endif
#ifdef ENOSYS
                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                        ENOSYS)
#endif
#ifdef ENOTEMPTY
                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                            ENOTEMPTY)
#endif
#ifdef ELOOP
                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                ELOOP)
#endif
#ifdef EWOULDBLOCK
                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                    EWOULDBLOCK)
#endif
#ifdef ENOMSG
                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                        ENOMSG)
#endif
#ifdef EIDRM
                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                            EIDRM)
#endif
#ifdef ECHRNG
                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                ECHRNG)
#endif
#ifdef EL2NSYNC
                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                    EL2NSYNC)
#endif
#ifdef EL3HLT
                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                        EL3HLT)
#endif
#ifdef EL3RST
                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                            EL3RST)
#endif
#ifdef ELNRNG
                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                ELNRNG)
#endif
#ifdef EUNATCH
                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                    EUNATCH)
#endif
#ifdef ENOCSI
                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                        ENOCSI)
#endif
#ifdef EL2HLT
                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                            EL2HLT)
#endif
#ifdef EBADE
                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                EBADE)
#endif
#ifdef EBADR
                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                    EBADR)
#endif
#ifdef EXFULL
                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                        EXFULL)
#endif
#ifdef ENOANO
                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                            ENOANO)
#endif
#ifdef EBADRQC
                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                EBADRQC)
#endif
#ifdef EBADSLT
                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                    EBADSLT)
#endif
#ifdef EDEADLOCK
                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                        EDEADLOCK)
#endif
#ifdef EBFONT
                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                            EBFONT)
#endif
#ifdef ENOSTR
                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                ENOSTR)
#endif
#ifdef ENODATA
                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                    ENODATA)
#endif
#ifdef ETIME
                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                        ETIME)
#endif
#ifdef ENOSR
                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                            ENOSR)
#endif
#ifdef ENONET
                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                ENONET)
#endif
#ifdef ENOPKG
                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                    ENOPKG)
#endif
#ifdef EREMOTE
                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                        EREMOTE)
#endif
#ifdef ENOLINK
                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                            ENOLINK)
#endif
#ifdef EADV
                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                EADV)
#endif
#ifdef ESRMNT
                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                    ESRMNT)
#endif
#ifdef ECOMM
                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                        ECOMM)
#endif
#ifdef EPROTO
                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                            EPROTO)
#endif
#ifdef EMULTIHOP
                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                EMULTIHOP)
#endif
#ifdef EDOTDOT
                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                    EDOTDOT)
#endif
#ifdef EBADMSG
                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                        EBADMSG)
#endif
#ifdef EOVERFLOW
                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                            EOVERFLOW)
#endif
#ifdef ENOTUNIQ
                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                ENOTUNIQ)
#endif
#ifdef EBADFD
                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                    EBADFD)
#endif
#ifdef EREMCHG
                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                        EREMCHG)
#endif
#ifdef ELIBACC
                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                            ELIBACC)
#endif
#ifdef ELIBBAD
                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                ELIBBAD)
#endif
#ifdef ELIBSCN
                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                    ELIBSCN)
#endif
#ifdef ELIBMAX
                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                        ELIBMAX)
#endif
#ifdef ELIBEXEC
                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                            ELIBEXEC)
#endif
#ifdef EILSEQ
                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                EILSEQ)
#endif
#ifdef ERESTART
                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                    ERESTART)
#endif
#ifdef ESTRPIPE
                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                        ESTRPIPE)
#endif
#ifdef EUSERS
                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                            EUSERS)
#endif
#ifdef ENOTSOCK
                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                ENOTSOCK)
#endif
#ifdef EDESTADDRREQ
                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                    EDESTADDRREQ)
#endif
#ifdef EMSGSIZE
                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                        EMSGSIZE)
#endif
#ifdef EPROTOTYPE
                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                            EPROTOTYPE)
#endif
#ifdef ENOPROTOOPT
                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                ENOPROTOOPT)
#endif
#ifdef EPROTONOSUPPORT
                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                    EPROTONOSUPPORT)
#endif
#ifdef ESOCKTNOSUPPORT
                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                        ESOCKTNOSUPPORT)
#endif
#ifdef EOPNOTSUPP
                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                            EOPNOTSUPP)
#endif
#ifdef ENOTSUP
                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                ENOTSUP)
#endif
#ifdef EPFNOSUPPORT
                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                    EPFNOSUPPORT)
#endif
#ifdef EAFNOSUPPORT
                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                        EAFNOSUPPORT)
#endif
#ifdef EADDRINUSE
                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                            EADDRINUSE)
#endif
#ifdef EADDRNOTAVAIL
                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                EADDRNOTAVAIL)
#endif
#ifdef ENETDOWN
                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                    ENETDOWN)
#endif
#ifdef ENETUNREACH
                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                        ENETUNREACH)
#endif
#ifdef ENETRESET
                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                            ENETRESET)
#endif
#ifdef ECONNABORTED
                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                ECONNABORTED)
#endif
#ifdef ECONNRESET
                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                    ECONNRESET)
#endif
#ifdef ENOBUFS
                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                        ENOBUFS)
#endif
#ifdef EISCONN
                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                            EISCONN)
#endif
#ifdef ENOTCONN
                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                ENOTCONN)
#endif
#ifdef ESHUTDOWN
                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    ESHUTDOWN)
#endif
#ifdef ETOOMANYREFS
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                        ETOOMANYREFS)
#endif
#ifdef ETIMEDOUT
                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                            ETIMEDOUT)
#endif
#ifdef ECONNREFUSED
                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ECONNREFUSED)
#endif
#ifdef EHOSTDOWN
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EHOSTDOWN)
#endif
#ifdef EHOSTUNREACH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EHOSTUNREACH)
#endif
#ifdef EALREADY
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EALREADY)
#endif
#ifdef EINPROGRESS
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EINPROGRESS)
#endif
#ifdef ESTALE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    ESTALE)
#endif
#ifdef EUCLEAN
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EUCLEAN)
#endif
#ifdef ENOTNAM
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            ENOTNAM)
#endif
#ifdef ENAVAIL
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ENAVAIL)
#endif
#ifdef EISNAM
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EISNAM)
#endif
#ifdef EREMOTEIO
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EREMOTEIO)
#endif
#ifdef EDQUOT
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EDQUOT)
#endif
#ifdef ENOMEDIUM
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ENOMEDIUM)
#endif
#ifdef EMEDIUMTYPE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EMEDIUMTYPE)
#endif
#ifdef ECANCELED
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        ECANCELED)
#endif
#ifdef ENOKEY
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            ENOKEY)
#endif
#ifdef EKEYEXPIRED
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EKEYEXPIRED)
#endif
#ifdef EKEYREVOKED
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EKEYREVOKED)
#endif
#ifdef EKEYREJECTED
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EKEYREJECTED)
#endif
#ifdef EOWNERDEAD
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EOWNERDEAD)
#endif
#ifdef ENOTRECOVERABLE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ENOTRECOVERABLE)
#endif
#ifdef ERFKILL
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    ERFKILL)
#endif
#ifdef EHWPOISON
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EHWPOISON)
#endif
#ifdef EAUTH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EAUTH)
#endif
#ifdef EBADRPC
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EBADRPC)
#endif
#ifdef EFTYPE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(EFTYPE)
#endif
#ifdef ENEEDAUTH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        ENEEDAUTH)
#endif
#ifdef ENOATTR
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            ENOATTR)
#endif
#ifdef EPROCLIM
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EPROCLIM)
#endif
#ifdef EPROCUNAVAIL
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EPROCUNAVAIL)
#endif
#ifdef EPROGMISMATCH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EPROGMISMATCH)
#endif
#ifdef EPROGUNAVAIL
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EPROGUNAVAIL)
#endif
#ifdef ERPCMISMATCH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ERPCMISMATCH)
#endif
#ifdef EBADARCH
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EBADARCH)
#endif
#ifdef EBADEXEC
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EBADEXEC)
#endif
#ifdef EBADMACHO
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EBADMACHO)
#endif
#ifdef EDEVERR
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EDEVERR)
#endif
#ifdef ENOPOLICY
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    ENOPOLICY)
#endif
#ifdef EPWROFF
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        EPWROFF)
#endif
#ifdef EQFULL
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EQFULL)
#endif
#ifdef ESHLIBVERS
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ESHLIBVERS)
#endif
#ifdef ENOTCAPABLE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    ENOTCAPABLE)
#endif
#ifdef ECAPMODE
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        ECAPMODE)
#endif
#ifdef EDOOFUS
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            EDOOFUS)
#endif
#ifdef EINTEGRITY
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                EINTEGRITY)
#endif
#ifdef EIPSEC
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                FDLOOP_ROW(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    EIPSEC)
#endif
};

#undef FDLOOP_ROW

}  // namespace

NamedNumberTable ErrnoTable() { return {kRows, sizeof kRows / sizeof *kRows}; }

const char* ErrnoName(int number) {
  for (const NamedNumber& row : kRows) {
    if (row.value == number) return row.name;
  }
  return nullptr;
}

}  // namespace fdloop
