package sftpd

import (
	"net/netip"
	"sync"
	"time"

	"vidimus/internal/domain/company"
)

// How passwords are defended. Who is banned, and what counts, is forgotten after these times
// and at a restart.
const (
	firstDelay = time.Second // of the first wrong password of an address; doubled by each further one
	mostDelay  = 8 * time.Second
	window     = 10 * time.Minute // failures older than this do not count any more
	banTime    = 30 * time.Minute
	mostOfOne  = 10  // failures of an address in the window, then it is banned
	mostOfAll  = 100 // failures on one company from anywhere, then only known addresses are heard
	knownFor   = 30 * 24 * time.Hour
	mostKept   = 50_000 // addresses, and pairs of company and address, that are remembered
)

// guard slows down who guesses passwords, and in live bans them: an address for half an hour;
// and, where many addresses try one company, every address from which that company has not
// logged in before. So nobody can lock a company out of the places that it works from, nor
// out of its keys, which cannot be guessed: the second ban is for passwords only.
type guard struct {
	live bool
	now  func() time.Time

	gate      sync.Mutex
	addresses map[netip.Prefix]*record
	companies map[company.ID]*record
	known     map[origin]time.Time // when they last logged in
	swept     time.Time
}

// origin is where a company logs in from.
type origin struct {
	company company.ID
	address netip.Prefix
}

// record counts failures.
type record struct {
	failures int
	delays   int       // failures, and right passwords that were not heard
	since    time.Time // of the window
	until    time.Time // of the ban
}

func newGuard(live bool, now func() time.Time) *guard {
	return &guard{live: live, now: now, addresses: map[netip.Prefix]*record{}, companies: map[company.ID]*record{}, known: map[origin]time.Time{}}
}

// network is whom failures are counted against: an IPv4 address, or the /64 that one
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

// banned says whether nothing of an address is heard.
func (g *guard) banned(a netip.Addr) bool {
	g.gate.Lock()
	defer g.gate.Unlock()
	r := g.addresses[network(a)]
	return r != nil && g.now().Before(r.until)
}

// heard says whether a password for the company counts when it comes from that address: not
// from a new one while the company is under attack.
func (g *guard) heard(c company.ID, a netip.Addr) bool {
	g.gate.Lock()
	defer g.gate.Unlock()
	now := g.now()
	if r := g.companies[c]; r == nil || !now.Before(r.until) {
		return true
	}
	last, ok := g.known[origin{c, network(a)}]
	return ok && now.Sub(last) < knownFor
}

// succeeded notes where a company works from.
func (g *guard) succeeded(c company.ID, a netip.Addr) {
	g.gate.Lock()
	defer g.gate.Unlock()
	g.sweep()
	if o := (origin{c, network(a)}); len(g.known) < mostKept || !g.known[o].IsZero() {
		g.known[o] = g.now()
	}
}

// refusal is what follows from a wrong password.
type refusal struct {
	Delay      time.Duration // before the answer
	Failures   int           // of the address, in the window
	BanAddress bool          // from now on
	BanCompany bool          // from now on, for addresses that are not known
}

// failed counts a wrong password. exists: there is such a company; others are not counted,
// and get the same answer.
func (g *guard) failed(c company.ID, exists bool, a netip.Addr) refusal {
	g.gate.Lock()
	defer g.gate.Unlock()
	g.sweep()
	now := g.now()
	r := g.of(a)
	f := refusal{BanAddress: r.count(now, mostOfOne, g.live), Failures: r.failures, Delay: r.delay()}
	if exists {
		all := g.companies[c]
		if all == nil {
			all = &record{since: now}
			g.companies[c] = all
		}
		f.BanCompany = all.count(now, mostOfAll, g.live)
	}
	return f
}

// unheard delays a right password that a ban keeps out just as a wrong one, so that the time
// does not tell them apart; it is no failure.
func (g *guard) unheard(a netip.Addr) refusal {
	g.gate.Lock()
	defer g.gate.Unlock()
	g.sweep()
	r := g.of(a)
	r.renew(g.now())
	return refusal{Delay: r.delay(), Failures: r.failures}
}

// of returns the record of an address.
func (g *guard) of(a netip.Addr) *record {
	r := g.addresses[network(a)]
	if r == nil {
		r = &record{since: g.now()}
		if len(g.addresses) < mostKept {
			g.addresses[network(a)] = r
		}
	}
	return r
}

// renew begins another window if the last one is over.
func (r *record) renew(now time.Time) {
	if now.Sub(r.since) >= window {
		r.since, r.failures, r.delays = now, 0, 0
	}
}

// delay returns how long the next answer waits.
func (r *record) delay() time.Duration {
	r.delays++
	return min(mostDelay, firstDelay<<min(r.delays-1, 10))
}

// count adds a failure and says whether a ban begins by it.
func (r *record) count(now time.Time, most int, bans bool) bool {
	r.renew(now)
	r.failures++
	if !bans || r.failures < most || now.Before(r.until) {
		return false
	}
	r.until = now.Add(banTime)
	return true
}

// sweep forgets, once a minute, what does not count any more.
func (g *guard) sweep() {
	now := g.now()
	if now.Sub(g.swept) < time.Minute {
		return
	}
	g.swept = now
	for a, r := range g.addresses {
		if r.over(now) {
			delete(g.addresses, a)
		}
	}
	for c, r := range g.companies {
		if r.over(now) {
			delete(g.companies, c)
		}
	}
	for o, last := range g.known {
		if now.Sub(last) >= knownFor {
			delete(g.known, o)
		}
	}
}

func (r *record) over(now time.Time) bool {
	return now.Sub(r.since) >= window && !now.Before(r.until)
}
