package sftpd

import (
	"net/netip"

	"vidimus/internal/domain/company"
)

// Ban counts wrong passwords of an address until it is banned.
func (s *Server) Ban(a netip.Addr) {
	for range mostOfOne {
		s.guard.failed("nobody", false, a)
	}
}

// Attack counts wrong passwords for a company, from many addresses, until it is guarded.
func (s *Server) Attack(c company.ID) {
	for n := range mostOfAll {
		s.guard.failed(c, true, netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}))
	}
}
