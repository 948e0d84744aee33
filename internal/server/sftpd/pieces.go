package sftpd

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// How long, and of how many files, it is remembered which parts a client has.
const (
	piecesFor  = 24 * time.Hour
	mostPieces = 1000
)

// pieces remembers what clients have fetched of a file over several connections: those that
// resume, and those that read in several places at once. Whoever hands over the last part
// has handed over the whole.
type pieces struct {
	now  func() time.Time
	gate sync.Mutex
	all  map[download]*fetched
}

// download is one result on its way to one client.
type download struct {
	company        company.ID
	identification ident.ID
	result         time.Time // when it arose: a later one has other bytes
	client         netip.Prefix
}

type fetched struct {
	given []span
	at    time.Time // of the last part
}

// completes adds what was given of a file of that size, and says whether the client has all
// of it now. It is forgotten then. Unless the client has taken the last of it, it does not
// have all yet.
func (p *pieces) completes(d download, size int64, given []span, taken bool) bool {
	p.gate.Lock()
	defer p.gate.Unlock()
	before := p.all[d]
	if before == nil || p.now().Sub(before.at) >= piecesFor {
		before = &fetched{}
	}
	before.given, before.at = merge(append(before.given, given...)), p.now()
	if taken && len(before.given) == 1 && before.given[0] == (span{0, size}) {
		delete(p.all, d)
		return true
	}
	if len(before.given) == 0 {
		return false
	}
	if p.all == nil {
		p.all = map[download]*fetched{}
	}
	p.all[d] = before
	if len(p.all) > mostPieces {
		p.forgetOldest()
	}
	return false
}

func (p *pieces) forgetOldest() {
	oldest := slices.MinFunc(slices.Collect(maps.Keys(p.all)), func(a, b download) int { return p.all[a].at.Compare(p.all[b].at) })
	delete(p.all, oldest)
}
