package sftpd

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

type fakeClock struct{ at time.Time }

func (c *fakeClock) now() time.Time { return c.at }

func newTestGuard(live bool) (*guard, *fakeClock) {
	c := &fakeClock{time.Date(2026, time.March, 9, 14, 0, 0, 0, time.UTC)}
	return newGuard(live, c.now), c
}

var home, far = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")

func TestWrongPasswordsAreDelayedMoreAndMore(t *testing.T) {
	g, c := newTestGuard(false)
	for n, want := range []time.Duration{1, 2, 4, 8, 8, 8} {
		if f := g.failed("bank", true, home); f.Delay != want*time.Second || f.Failures != n+1 {
			t.Errorf("%d: %+v", n, f)
		}
	}
	if f := g.failed("bank", true, far); f.Delay != time.Second {
		t.Errorf("another address: %+v", f)
	}
	c.at = c.at.Add(window)
	if f := g.failed("bank", true, home); f.Delay != time.Second {
		t.Errorf("later: %+v", f)
	}
}

func TestARightPasswordThatIsNotHeardIsDelayedButNoFailure(t *testing.T) {
	g, _ := newTestGuard(true)
	for n, want := range []time.Duration{1, 2, 4, 8} {
		if f := g.unheard(home); f != (refusal{Delay: want * time.Second}) {
			t.Errorf("%d: %+v", n, f)
		}
	}
	if f := g.failed("bank", true, home); f.Delay != 8*time.Second || f.Failures != 1 {
		t.Errorf("a wrong one after that: %+v", f)
	}
}

func TestAnAddressIsBannedInLiveOnly(t *testing.T) {
	for _, live := range []bool{false, true} {
		g, c := newTestGuard(live)
		for n := range mostOfOne {
			if g.banned(home) {
				t.Fatalf("banned after %d", n)
			}
			if f := g.failed("nobody", false, home); f.BanAddress != (live && n == mostOfOne-1) {
				t.Errorf("%d: %+v", n, f)
			}
		}
		if g.banned(home) != live || g.banned(far) {
			t.Errorf("live %v: banned %v, another %v", live, g.banned(home), g.banned(far))
		}
		c.at = c.at.Add(banTime)
		if g.banned(home) {
			t.Error("banned for longer than the ban")
		}
		if f := g.failed("nobody", false, home); f.Failures != 1 {
			t.Errorf("the old failures count after the ban: %+v", f)
		}
	}
}

func TestACompanyUnderAttackIsHeardFromWhereItWorks(t *testing.T) {
	g, c := newTestGuard(true)
	g.succeeded("bank", home)
	for n := range mostOfAll {
		attacker := netip.MustParseAddr(fmt.Sprintf("203.0.113.%d", n))
		if f := g.failed("bank", true, attacker); f.BanCompany != (n == mostOfAll-1) || f.BanAddress {
			t.Errorf("%d: %+v", n, f)
		}
	}
	if !g.heard("bank", home) || g.heard("bank", far) || !g.heard("other", far) {
		t.Errorf("heard: home %v, far %v, another company %v", g.heard("bank", home), g.heard("bank", far), g.heard("other", far))
	}
	c.at = c.at.Add(banTime)
	if !g.heard("bank", far) {
		t.Error("not heard after the ban")
	}
}

func TestAGuardForgets(t *testing.T) {
	g, c := newTestGuard(true)
	g.failed("bank", true, home)
	g.succeeded("bank", home)
	c.at = c.at.Add(knownFor)
	g.succeeded("other", far)
	if len(g.addresses)+len(g.companies) != 0 || len(g.known) != 1 {
		t.Errorf("%v %v %v", g.addresses, g.companies, g.known)
	}
}

func TestIPv6IsCountedByNetwork(t *testing.T) {
	g, _ := newTestGuard(true)
	for n := range mostOfOne {
		g.failed("nobody", false, netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%x", n+1)))
	}
	if !g.banned(netip.MustParseAddr("2001:db8:1:2:ffff::1")) || g.banned(netip.MustParseAddr("2001:db8:1:3::1")) {
		t.Error("the ban is not that of the network")
	}
}
