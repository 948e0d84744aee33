// Package delivery holds what is known of each hand-over to a company: by which way, what,
// where to or to whom, how it ended. What we send is a Delivery, which may take many tries;
// what the company fetches is a HandOver. Specification, chapters 8.3, 9, 10, 11 and 14.
package delivery

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Way is how something reaches a company.
type Way string

// The ways. Webhook and Mail are deliveries, the others hand-overs; of a Copy the client is the
// company that it went to, and the hash that of the copy's JSON.
const (
	Webhook  Way = "WEBHOOK"   // chapter 14
	Mail     Way = "MAIL"      // chapter 10
	RESTJSON Way = "REST_JSON" // 8.3.3.2
	RESTZIP  Way = "REST_ZIP"  // 8.3.3.1
	RESTList Way = "REST_LIST" // 8.3.2
	SFTP     Way = "SFTP"      // chapter 9
	Form     Way = "FORM"      // chapter 11
	Copy     Way = "COPY"      // 8.3.5: another company got it
)

// Ways lists the ways of deliveries, Fetched those of hand-overs.
var (
	Ways    = []Way{Webhook, Mail}
	Fetched = []Way{RESTJSON, RESTZIP, RESTList, SFTP, Form}
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
	ID             string // of a webhook its webhook-id; the same at every try
	Way            Way    // Webhook or Mail
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
	Bytes          int64  // of the body, once it was delivered
	CreatedAt      time.Time
	FirstAt        time.Time // of the first try
	DueAt          time.Time
	DoneAt         time.Time
}

// Why a delivery is Superseded when its identification was deleted, or canceled and opened
// again: before a try, or in the middle of one, which may have arrived. The statements of the
// store repeat them.
const (
	Deleted         = "deleted"
	DeletedUnderWay = "deleted while a try was under way"
)

// Restored is the problem of a delivery that a restored database holds as still to be made: it
// may have been made since the backup. The next try replaces it.
const Restored = "restored from a backup, may have arrived before"

// EndUnknown is the problem of a try that was noted when it began, and whose end is not known: it
// may have succeeded.
const EndUnknown = "begun, end unknown"

// Try is one failed try.
type Try struct {
	Number  int
	At      time.Time
	Status  int
	Problem string
	Took    time.Duration
}
