// Package ident holds the rules of one identification: its numbers, its lifecycle, the
// reasons why it fails. Specification, chapters 2, 3.2 and 14.5.3. It does no I/O and reads
// no clock: every time is an argument.
package ident

import (
	"time"

	"vidimus/internal/domain/company"
)

// Identification is one request to identify one person, without anything personal: that
// lies in Sealed, under the key KeyID.
type Identification struct {
	ID              ID
	Company         company.ID
	Number          TransactionNumber
	State           State
	Revision        int64 // grows with every change; a change carries the one it has read
	CompanyRevision int64 // the company's settings it began with
	KeyID           string
	Sealed          []byte // the application, sealed; empty once it is canceled
	Attempts        int
	Result          State  // the last result that stands, preliminary or final; empty: none
	Previous        State  // the preliminary result before a final one
	Reason          Reason // of an abort, a cancellation or a suspicion
	Agent           string // who carried it out
	Channel         Channel
	FileKey         string // keyed hash of the name of its ZIP; empty until there is a result
	ResultSeq       int64  // the number of the last result that was rendered; zero: none
	NextDelivery    int64  // the number that the next event's deliveries get
	CreatedAt       time.Time
	ChangedAt       time.Time
	FinishedAt      time.Time // when the verdict, the abort or the cancellation was; zero: not yet
	KeptFrom        time.Time // from when retention counts: creation or reopening, then the end of the review
}

// Listed is an identification with the sealed JSON of its last result, nil when it has none.
type Listed struct {
	Identification
	JSON []byte
}

// Channel is the way a user came in (13.1.1, type).
type Channel string

// The channels.
const (
	Web Channel = "WEB"
	App Channel = "APP"
)

// Method is what carried an attempt out.
type Method string

// The methods.
const (
	VideoIdent Method = "VIDEO"
	AutoIdent  Method = "AUTO"
	Robot      Method = "ROBOT"
)

// Attempt is one try to carry an identification out. At most one of an identification is
// open.
type Attempt struct {
	Identification ID
	Company        company.ID
	Number         int // from one
	Method         Method
	Channel        Channel
	RequestedAt    time.Time
	TakenAt        time.Time // zero: still waiting
	EndedAt        time.Time // zero: open
	Agent          string
	Outcome        State // how it ended: ABORTED or a preliminary result; empty: open
	Reason         Reason
}

// Waited returns how long the user waited for an agent, or has waited until now.
func (a Attempt) Waited(now time.Time) time.Duration {
	switch {
	case !a.TakenAt.IsZero():
		return a.TakenAt.Sub(a.RequestedAt)
	case !a.EndedAt.IsZero():
		return a.EndedAt.Sub(a.RequestedAt)
	default:
		return now.Sub(a.RequestedAt)
	}
}

// Refused says why the company's data, or a further attempt, are no longer possible although
// the lifecycle would allow it: a permanent reason.
func (i Identification) Refused() bool {
	return (i.State == Aborted || i.State == Canceled) && i.Reason.Permanent()
}
