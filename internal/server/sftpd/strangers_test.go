package sftpd

import (
	"net/netip"
	"testing"
	"time"
)

func TestTheOldestOfWhoeverHasMostGivesWay(t *testing.T) {
	at := func(s string) netip.Prefix { return network(netip.MustParseAddr(s)) }
	s := &strangers{of: map[netip.Prefix][]*conn{}}
	l := Limits{Unknown: 5, UnknownPerAddress: 3}
	began := time.Now()
	var all []*conn
	come := func(from string) (out int) {
		gone := s.giveWay(at(from), l)
		c := &conn{began: began.Add(time.Duration(len(all)) * time.Second)}
		all = append(all, c)
		s.add(at(from), c)
		for n, c := range all {
			if c == gone {
				return n
			}
		}
		return -1
	}
	for n, step := range []struct {
		from string
		out  int
	}{
		{"192.0.2.1", -1}, {"192.0.2.1", -1}, {"2001:db8::1", -1}, {"192.0.2.1", -1},
		{"192.0.2.1", 0},    // its own oldest
		{"2001:db8::2", -1}, // the same /64
		{"192.0.2.9", 1},    // there is no room any more: the oldest of 192.0.2.1
		{"192.0.2.8", 2},    // two of each: the oldest of them
		{"192.0.2.7", 3},
		{"192.0.2.6", 4},
	} {
		if out := come(step.from); out != step.out {
			t.Errorf("step %d: %d gives way, want %d", n, out, step.out)
		}
		if s.all > l.Unknown {
			t.Errorf("step %d: %d are there", n, s.all)
		}
	}
	if s.remove(at("192.0.2.1"), all[0]) || !s.remove(at("192.0.2.6"), all[9]) || s.all != 4 || len(s.of) != 4 {
		t.Errorf("%d are left of %d addresses", s.all, len(s.of))
	}
}
