// Package job names the work that must happen after a commit. A job is stored in the
// transaction that causes it, and carried out at least once.
package job

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Kind says which handler carries a job out.
type Kind string

// Job is one piece of work. Of the jobs in one lane only one is in hand at a time.
type Job struct {
	ID             string // sorts by time of creation
	Kind           Kind
	Lane           string // empty: a lane of its own
	Company        company.ID
	Identification ident.ID // empty: none
	Payload        string   // what the handler needs to know; nothing personal
	Tries          int      // how often it was taken, this time included
	CreatedAt      time.Time
	DueAt          time.Time
}
