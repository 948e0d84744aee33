// Package result decides what a company reads about an identification: the result as JSON
// and XML, the names of its files, and the ZIP around them. A result is a pure function of
// its Input. Specification, chapters 8.3.2, 8.3.3, 13 and 14.5. These are the only domain types
// with tags: their names are the specification's.
package result

import (
	"slices"
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

// Input is everything that a result is made of. What is empty or zero is left out of it.
type Input struct {
	Result             ident.State // Success stands for Success and SuccessChanged: see Outcome
	AgentName          string
	IdentificationTime time.Time
	Type               ident.Channel
	TransactionNumber  ident.TransactionNumber
	CompanyID          string
	ID                 ident.ID
	FileName           string       // of the ZIP, without .zip; empty: the transaction number
	Reason             ident.Reason // of a suspicion of fraud, an abort or a cancellation
	PreviousResult     ident.State  // the preliminary result; empty where the company never saw it

	Application person.Application
	Identified  person.Data
	Reviewed    *person.Data // nil: the review left everything as it was
	Attachments []Attachment // pictures and recordings; Build adds pdf, xml and sig
	Questions   []Answer     // in the account's order
	Signed      bool         // documents were signed
	Settings    Settings
}

// Attachment is one picture or recording. Key is one of 13.1.6, or the key of a
// CUSTOM_IMAGE question. Extension is the file's ending without a dot; empty: as the
// account's settings have it.
type Attachment struct {
	Key       string
	Extension string
}

// Answer is the answer to one question (13.1.7).
type Answer struct {
	Key   string
	Value question.Value
}

// Settings are the account's, as they were at the moment of the result. The zero value is
// the specification's default, without a signature.
type Settings struct {
	Redact               []string // fields of the document that are withheld
	ImageFormat          string   // jpeg or png; empty: jpeg
	AudioFormat          string   // mp3 or wav; empty: mp3
	XMLSignature         bool
	StreetNumberInStreet bool // street and number are one field, street (3.2.8)
}

// ImageExtension returns the ending of pictures, without a dot: jpg or png (13.2.1).
func (s Settings) ImageExtension() string { return extension(s.ImageFormat, "jpg") }

// AudioExtension returns the ending of the audio log, without a dot: mp3 or wav (13.2.2).
func (s Settings) AudioExtension() string { return extension(s.AudioFormat, "mp3") }

func extension(format, otherwise string) string {
	switch format {
	case "":
		return otherwise
	case "jpeg":
		return "jpg"
	default:
		return format
	}
}

func (s Settings) redacts(f person.DocumentField) bool { return slices.Contains(s.Redact, string(f)) }
