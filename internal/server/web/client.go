package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Proxies are the networks of the reverse proxies that are believed when they say who the
// client is and whether it came over HTTPS.
type Proxies []netip.Prefix

func (p Proxies) trusts(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// Client returns the address of the client: the peer's, or, where the peer is a trusted
// proxy, the last one in X-Forwarded-For that is not itself a trusted proxy.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer := peerAddress(r)
	if !p.trusts(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if peer = a.Unmap(); !p.trusts(peer) {
			break
		}
	}
	return peer
}

func peerAddress(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// Secure says whether the request came over HTTPS: to us, or to a trusted proxy.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return p.trusts(peerAddress(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// Limiter counts failures by client address and minute.
type Limiter struct {
	most int
	now  func() time.Time

	gate   sync.Mutex
	minute time.Time
	counts map[netip.Prefix]int
}

// NewLimiter returns a limiter that allows so many failures in a minute.
func NewLimiter(most int, now func() time.Time) *Limiter {
	return &Limiter{most: most, now: now, counts: map[netip.Prefix]int{}}
}

// Failed counts a failure. Zero: go on; else the client has had too many, and may come
// back after that time.
func (l *Limiter) Failed(client netip.Addr) time.Duration {
	now := l.now()
	minute := now.Truncate(time.Minute)
	l.gate.Lock()
	defer l.gate.Unlock()
	if !minute.Equal(l.minute) {
		l.minute = minute
		clear(l.counts)
	}
	who := network(client)
	l.counts[who]++
	if l.counts[who] <= l.most {
		return 0
	}
	return minute.Add(time.Minute).Sub(now)
}

// Succeeded takes back one failure that was counted before it was known to be none.
func (l *Limiter) Succeeded(client netip.Addr) {
	l.gate.Lock()
	defer l.gate.Unlock()
	if who := network(client); l.counts[who] > 0 {
		l.counts[who]--
	}
}

// Full says whether the client has had too many failures, without counting one: zero, or the
// time after which it may come back.
func (l *Limiter) Full(client netip.Addr) time.Duration {
	now := l.now()
	minute := now.Truncate(time.Minute)
	l.gate.Lock()
	defer l.gate.Unlock()
	if !minute.Equal(l.minute) || l.counts[network(client)] < l.most {
		return 0
	}
	return minute.Add(time.Minute).Sub(now)
}

// Limits count the failures of clients: log-ins with wrong credentials, and look-ups without
// any; and each question of anybody to the trust service, whose answer costs a signature. All
// servers of a node share them.
type Limits struct {
	Logins    *Limiter
	Lookups   *Limiter
	Questions *Limiter
}

// How many failures a client may have in a minute.
const (
	failuresLive = 20
	failuresTest = 300
)

// questions is how many answers of the trust service a client may have in a minute: enough to
// validate a few hundred files, and about a thousandth of what one core signs.
const questions = 600

// NewLimits returns the limits of the environment.
func NewLimits(live bool, now func() time.Time) Limits {
	most := failuresTest
	if live {
		most = failuresLive
	}
	return Limits{Logins: NewLimiter(most, now), Lookups: NewLimiter(most, now), Questions: NewLimiter(questions, now)}
}

// network is whom a failure is counted against: an IPv4 address, or the /64 that one
// customer of IPv6 has.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
