package sftpd

import (
	"net/netip"
	"slices"
)

// strangers are the connections that have not logged in yet, by address, the oldest first. They
// cost nothing to open and say nothing for as long as they like: so none is refused for them,
// but the oldest of whoever has most of them gives way.
type strangers struct {
	all int
	of  map[netip.Prefix][]*conn
}

func (s *strangers) add(at netip.Prefix, c *conn) {
	s.of[at] = append(s.of[at], c)
	s.all++
}

// remove says whether it was there.
func (s *strangers) remove(at netip.Prefix, c *conn) bool {
	n := slices.Index(s.of[at], c)
	if n < 0 {
		return false
	}
	if s.of[at] = slices.Delete(s.of[at], n, n+1); len(s.of[at]) == 0 {
		delete(s.of, at)
	}
	s.all--
	return true
}

// giveWay makes room for one more from an address, and returns the connection that has to go
// for it, which is removed; nil: there is room.
func (s *strangers) giveWay(at netip.Prefix, l Limits) *conn {
	switch {
	case len(s.of[at]) >= l.UnknownPerAddress:
	case s.all >= l.Unknown:
		at = s.most()
	default:
		return nil
	}
	c := s.of[at][0]
	s.remove(at, c)
	return c
}

// most is the address with most connections, of several the one whose first is the oldest.
func (s *strangers) most() (at netip.Prefix) {
	for a, cs := range s.of {
		if n := len(cs) - len(s.of[at]); n > 0 || n == 0 && cs[0].began.Before(s.of[at][0].began) {
			at = a
		}
	}
	return at
}
