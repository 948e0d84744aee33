package webhook

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// closed lists the IPv4 networks no delivery goes to in live, besides those that net/netip
// knows by name: everything that IANA calls not globally reachable, and what clouds use for
// talking to their own machines.
var closed = prefixes(
	"0.0.0.0/8",        // this network; on Linux it reaches the machine itself
	"100.64.0.0/10",    // carrier-grade NAT, some metadata services
	"168.63.129.16/32", // a cloud's platform address, public in form only
	"192.0.0.0/24",     // protocol assignments, some metadata services
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved, and broadcast
)

// open6 is the only part of IPv6 that is handed out for global use. closed6 are the holes in it.
var (
	open6   = netip.MustParsePrefix("2000::/3")
	closed6 = prefixes(
		"2001::/23",     // protocol assignments: Teredo, benchmarks, ORCHID
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4: any IPv4 address may hide in it, and nobody serves from it
		"3fff::/20",     // documentation
	)
	// nat64 carries an IPv4 address in its last four bytes. On networks without IPv4 it is
	// the only way to IPv4 receivers, so the address inside decides.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public says whether an address belongs to the public internet: not to this machine, a
// private or link-local network, a multicast group, a metadata service, or an IPv6 form that
// hides such an address. The invalid address is not public.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsValid() || ip.Zone() != "" || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() ||
		ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	if ip.Is4() {
		return !within(closed, ip)
	}
	return open6.Contains(ip) && !within(closed6, ip)
}

func within(networks []netip.Prefix, ip netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// guard is a net.Dialer's Control. It sees the address that is about to be connected to,
// after every look-up, so a name that changes its mind cannot slip past.
func guard(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !Public(target.Addr()) {
		return errRefused
	}
	return nil
}

// lookUpAndGuard refuses host:port when any address of the host is not public: through a
// proxy we cannot know which one will be taken.
func lookUpAndGuard(ctx context.Context, target string) error {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return errRequest
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, ip := range all {
		if !Public(ip) {
			return errRefused
		}
	}
	return nil
}
