package publish

import (
	"io"
	"time"

	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/result"
)

// Reporter writes the result as a PDF that a bank can file.
type Reporter interface {
	Report(w io.Writer, r Report) error
}

// Report is everything that the PDF of a result shows (13.1.6, pdf).
type Report struct {
	Company     string // display name
	Language    string // of the headings: de or en
	Result      result.Identification
	TrackingID  string
	Made        time.Time // of the PDF; equal input gives equal bytes
	RequestedAt time.Time
	TakenAt     time.Time
	EndedAt     time.Time
	Reviewer    string // empty: not reviewed yet
	ReviewedAt  time.Time
	Checks      []evidence.Check
	Answers     []Answer
	Pictures    []Picture
	Files       []File // the other members of the ZIP
}

// Answer is a question as the agent read it, and the answer.
type Answer struct{ Label, Value string }

// Picture is an image of the evidence, as JPEG or PNG.
type Picture struct {
	Key    string // the attachment's key: idfrontside, userface, …
	Format string // jpeg or png
	Bytes  []byte
	Taken  time.Time
}

// File names a recording that belongs to the result.
type File struct {
	Name   string
	Size   int64
	SHA256 string // hexadecimal
}
