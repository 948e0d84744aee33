// Package delivery holds what is known of a hand-over to a company: which event, where to,
// how often it was tried, how it ended. Specification, chapter 14.
package delivery

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// State is how far a delivery has come.
type State string

// The states.
const (
	Pending    State = "PENDING"
	Delivered  State = "DELIVERED"
	Failed     State = "FAILED"     // given up, or a permanent answer
	Superseded State = "SUPERSEDED" // the identification has moved on (14.6.2), or was deleted
)

// Delivery is one hand-over of one event to one address.
type Delivery struct {
	ID             string // the webhook-id; the same at every try
	Company        company.ID
	Identification ident.ID
	Lane           string // deliveries of one lane go out in the order of Seq
	Seq            int64  // the number of the event within the identification
	Event          company.Event
	ResultSeq      int64  // which result is the body
	KeyID          string // what the body is sealed with
	Target         string
	State          State
	Tries          int
	Replayed       int    // how many tries there had been when it was last replayed
	Status         int    // of the last try; zero: no answer
	Problem        string // of the last try, a class such as timeout; nothing personal
	Hash           []byte // SHA-256 of the body
	CreatedAt      time.Time
	FirstAt        time.Time // of the first try
	DueAt          time.Time
	DoneAt         time.Time
}

// Try is one failed try.
type Try struct {
	Number  int
	At      time.Time
	Status  int
	Problem string
	Took    time.Duration
}
