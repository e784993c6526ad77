// link_address_none.cc: for systems that have none of these families, or forms of their own for them.
#include "socket/link_address.h"

namespace fdloop {

Result EncodeLinkAddress(int, const LinkAddress&, uint8_t*, size_t) { return -EAFNOSUPPORT; }

LinkAddress DecodeLinkAddress(int, const uint8_t*, size_t) { return LinkAddress(); }

}  // namespace fdloop
