package ident

import (
	"time"

	"vidimus/internal/domain/company"
)

// Lists by the setting of the account that says how long their identifications are kept.
var (
	KeptAsResult     = []List{ListFinished, ListArchived, ListCanceled}
	KeptAsUnfinished = []List{ListPending, ListAborted}
)

// KeptFor returns how long identifications of the list are kept with these settings: what
// has come to its end as long as results (of a canceled one only the row is left), what has
// not, or was aborted, as long as unfinished ones.
func (l List) KeptFor(r company.Retention) time.Duration {
	d := r.Results
	if l == ListPending || l == ListAborted {
		d = r.Unfinished
	}
	if d <= 0 {
		return company.DefaultRetention
	}
	return d
}

// KeptUntil returns the moment from which on i is to be deleted, with the settings that the
// account has now. scale bends the duration as the clock of the installation does.
func (i Identification) KeptUntil(r company.Retention, scale func(time.Duration) time.Duration) time.Time {
	return i.KeptFrom.Add(scale(i.State.List().KeptFor(r)))
}

// Due says whether i is to be deleted now. While an attempt is under way it is not: the
// attempt ends by itself before long.
func (i Identification) Due(r company.Retention, scale func(time.Duration) time.Duration, now time.Time) bool {
	return !i.State.Open() && !now.Before(i.KeptUntil(r, scale))
}

// Deletions sums up what was deleted of a company by one party.
type Deletions struct {
	Company     company.ID
	By          string    // "company", "retention", "operator", "system"
	Number      int64     // whose content is destroyed
	First, Last time.Time // of all
	// What was deleted and whose content is not destroyed yet, and since when the oldest waits.
	Erasing      int64
	ErasingSince time.Time
}

// Tombstone is what is left of a deleted identification.
type Tombstone struct {
	ID        ID
	CreatedAt time.Time
	DeletedAt time.Time
	ErasedAt  time.Time // when all behind it was destroyed; zero: that is under way
	By        string
}
