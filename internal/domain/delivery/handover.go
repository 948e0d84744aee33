package delivery

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Progress is how far a hand-over has come.
type Progress string

// The progress. What stays Begun was under way when a node died: how it ended is unknown.
const (
	Begun  Progress = "BEGUN"
	Done   Progress = "DONE"   // every byte was given to the connection; over SFTP: taken by the client
	Broken Progress = "BROKEN" // not all of them
)

// HandOver is one result, or one list of results, that a company fetched itself.
type HandOver struct {
	ID             string
	Company        company.ID
	Identification ident.ID // empty for a list
	Way            Way      // one of Fetched
	Client         string   // the address it was fetched from
	Hash           []byte   // SHA-256 of the whole; of a list once it is Done
	Bytes          int64    // how many were given to the connection, once it has ended
	Entries        int      // of a list, once it has ended
	State          Progress
	At             time.Time // before the first byte
	DoneAt         time.Time
}
