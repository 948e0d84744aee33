package delivery

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Entry is one line of the ledger: something that reached a company, or was to, by whichever
// way.
type Entry struct {
	ID             string
	Identification ident.ID // empty: a list
	Way            Way
	Event          company.Event // of a delivery; empty: fetched
	To             string        // the address it went to, or the client that fetched it
	Hash           []byte        // SHA-256 of what was handed over; empty: not known (yet)
	Bytes          int64         // handed over
	Entries        int           // of a list
	State          string        // a State, or a Progress
	Tries          int
	Status         int    // of the last try of a webhook; zero: no answer
	Problem        string // of the last try
	At             time.Time
	DoneAt         time.Time // zero: not yet, or unknown
}

// Entry returns the delivery's line.
func (d Delivery) Entry() Entry {
	return Entry{
		ID: d.ID, Identification: d.Identification, Way: d.Way, Event: d.Event, To: d.Target, Hash: d.Hash, Bytes: d.Bytes, State: string(d.State),
		Tries: d.Tries, Status: d.Status, Problem: d.Problem, At: d.CreatedAt, DoneAt: d.DoneAt,
	}
}

// Entry returns the hand-over's line.
func (h HandOver) Entry() Entry {
	return Entry{
		ID: h.ID, Identification: h.Identification, Way: h.Way, To: h.Client, Hash: h.Hash, Bytes: h.Bytes, Entries: h.Entries, State: string(h.State),
		Tries: 1, At: h.At, DoneAt: h.DoneAt,
	}
}

// Before says whether e stands before other in a ledger that begins with the oldest.
func (e Entry) Before(other Entry) bool {
	if e.At.Equal(other.At) {
		return e.ID < other.ID
	}
	return e.At.Before(other.At)
}
