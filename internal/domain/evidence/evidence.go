// Package evidence names what an attempt leaves behind and what people decide upon it:
// readings, images, recordings, checks, the ident code, answers; then a verdict and a
// review. Items are only ever added; each is hashed when it is taken.
package evidence

import (
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

// Kind tells the items apart.
type Kind string

// The kinds.
const (
	KindReading   Kind = "reading"
	KindImage     Kind = "image"
	KindRecording Kind = "recording"
	KindCheck     Kind = "check"
	KindCode      Kind = "code"
	KindAnswer    Kind = "answer"
)

// Item is one piece as it is stored: Sealed holds one of the structs below as JSON, sealed
// under the identification's key; Blob names the file of an image or a recording.
type Item struct {
	Identification ident.ID
	Attempt        int
	Seq            int
	Kind           Kind
	Sealed         []byte
	Blob           string
	Hash           []byte // SHA-256 of the file, or of the plain JSON where there is none
	TakenAt        time.Time
}

// Source says where a reading comes from.
type Source string

// The sources.
const (
	MRZ        Source = "MRZ"
	VisualZone Source = "VISUAL_ZONE"
	ByAgent    Source = "AGENT"
	ByUser     Source = "USER"
)

// Reading is one field that was read.
type Reading struct {
	Field  string
	Value  string
	Source Source
}

// Image is a picture. Key is its name among the attachments of the result (13.1.6).
type Image struct {
	Key    string
	Format string // jpeg or png
	By     string
	Size   int64
	CRC32  uint32
}

// Recording is the sound or the video of the conversation. Key is audiolog or videolog.
type Recording struct {
	Key    string
	Format string // mp3, wav or mp4
	Size   int64
	CRC32  uint32
	Gaps   []Gap
}

// Gap is a stretch that a recording lacks, in seconds from its start.
type Gap struct{ From, To float64 }

// Check is one thing that was looked at, and how it came out.
type Check struct {
	Name    string
	Passed  bool
	Score   float64 // of a machine's check, zero to one
	Reason  string  // why it did not pass
	By      string
	AtVideo float64 // second of the recording
}

// Code is the ident code: whereto it went, when, and when it came back. Whoever enters it
// confirms the documents that it was sent for, and no others.
type Code struct {
	To        string // masked
	SentAt    time.Time
	EnteredAt time.Time
	Documents []string // SHA-256 of each document to sign, lower-case hex, in their order; nil: none
}

// Answer is the answer to one question of the account.
type Answer struct {
	Key   string
	Value question.Value
}

// Verdict is the agent's decision: the fields as identified, or the reason of a suspicion.
// Rests names the items, by Seq, that it rests on.
type Verdict struct {
	Agent   string
	At      time.Time
	Data    person.Data
	Suspect ident.Reason // empty: no suspicion
	Rests   []int
}

// Decision is what a reviewer decides.
type Decision string

// The decisions.
const (
	Confirm      Decision = "CONFIRM"
	Correct      Decision = "CORRECT"
	Cancel       Decision = "CANCEL"
	ConfirmFraud Decision = "CONFIRM_FRAUD"
	ClearFraud   Decision = "CLEAR_FRAUD"
)

// Review is the second person's decision: the fields as reviewed.
type Review struct {
	Reviewer string
	At       time.Time
	Decision Decision
	Data     person.Data
	Reason   ident.Reason // of a cancellation or a confirmed fraud
}

// Judgement is a verdict or a review as it is stored, sealed.
type Judgement struct {
	Identification ident.ID
	Attempt        int
	Kind           JudgementKind
	Person         string
	Sealed         []byte
	MadeAt         time.Time
}

// JudgementKind tells a verdict from a review.
type JudgementKind string

// The two.
const (
	IsVerdict JudgementKind = "verdict"
	IsReview  JudgementKind = "review"
)
