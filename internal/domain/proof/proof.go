// Package proof is what a validator says about the signatures of a document: who signed,
// whether it is what was signed, whom it rests on, when it was, and what changed since.
// Chapter 7 has documents signed; this is an addition by which anybody can look after them.
package proof

import (
	"slices"
	"time"
)

// Report is about one document.
type Report struct {
	Size       int         // bytes
	Revisions  int         // the document as it was first, and each addition to it
	Signatures []Signature // in the order of what they cover, document time-stamps among them
}

// Valid says whether there is a signature and every one is valid.
func (r Report) Valid() bool {
	return len(r.Signatures) > 0 &&
		!slices.ContainsFunc(r.Signatures, func(s Signature) bool { return s.Verdict != Valid })
}

// Verdict is what the findings about one signature come to.
type Verdict string

// The verdicts.
const (
	Valid   Verdict = "VALID"   // intact, trusted, and nothing happened since that it does not allow
	Invalid Verdict = "INVALID" // broken, revoked before it was made, or the document is another now
	Unknown Verdict = "UNKNOWN" // intact, but whom or what it rests on is not to be trusted
)

// Kind is what a signature is for.
type Kind string

// The kinds.
const (
	Approval      Kind = "SIGNATURE"
	Certification Kind = "CERTIFICATION" // it also says what may change later: Permits
	Timestamp     Kind = "DOCUMENT_TIMESTAMP"
)

// Signature is one signature of a document.
type Signature struct {
	Field     string // full name
	Kind      Kind
	SubFilter string
	Level     string   // the form, be it trusted or not: B-B, B-T, B-LT or B-LTA; empty when it is not PAdES, as for time-stamps
	Lacks     []string // why it is not PAdES, or not the next level
	Verdict   Verdict
	Because   []string // why it is not valid

	Signer   string // the certificate's subject
	Hash     string // such as SHA-256
	Broken   []string
	Coverage Coverage

	Chain    []Certificate // the signer's first
	Trusted  bool
	Distrust string // why it is not trusted

	Time    Time
	Claimed time.Time // what the signer's program wrote; zero: nothing

	Permits int // of a certification, or by the lock of its field: 1 nothing, 2 forms and signatures, 3 annotations too; else 0
	Changes []Change
}

// Intact says whether the digest, the value and the range are right.
func (s Signature) Intact() bool { return len(s.Broken) == 0 }

// Coverage is which part of the document a signature is over.
type Coverage struct {
	Signed   int // bytes that were signed
	Own      int // bytes of the signature itself, between them
	Outside  int // bytes after them
	Revision int // the last one it covers, from 1; 0: none as a whole
	Of       int
}

// Whole says whether it covers the document to its end.
func (c Coverage) Whole() bool { return c.Outside == 0 && c.Revision == c.Of && c.Of > 0 }

// Certificate is one of a chain.
type Certificate struct {
	Subject, Issuer, Serial string
	From, To                time.Time
	Root                    bool // one of those that are trusted
	Revocation              Revocation
}

// Status is what is known about a certificate's revocation.
type Status string

// The states.
const (
	Good      Status = "GOOD"       // not revoked at the time that counts
	Revoked   Status = "REVOKED"    // revoked at that time
	NotNeeded Status = "NOT_NEEDED" // a root, or one that says so
	NoAnswer  Status = "NO_ANSWER"  // nothing at hand says
)

// Revocation is what is known, and from what.
type Revocation struct {
	Status Status
	Source string    // OCSP or CRL
	Within string    // the document or what was given; empty without an answer
	As     time.Time // when the answer was right, by its own words
	At     time.Time // of the revocation; zero: none, or later than the time that counts
}

// Time is what proves when a signature was there.
type Time struct {
	At     time.Time // zero: nothing proves a time
	By     string    // subject of the time-stamp authority
	Source string    // signature time-stamp, or document time-stamp
	Faults []string  // of time-stamps that do not count
}

// Difference is a class of changes after a signature, by how far they go.
type Difference string

// The classes. What a signature allows is the first two, and Form if it does not certify
// anything stricter.
const (
	Archive     Difference = "ARCHIVE"     // validation data, document time-stamps, metadata
	Signing     Difference = "SIGNATURE"   // further signatures
	Form        Difference = "FORM"        // values of form fields
	Annotations Difference = "ANNOTATIONS" // comments
	Other       Difference = "OTHER"       // anything else
)

// Change is one thing that changed after a signature.
type Change struct {
	Difference Difference
	What       string
	Allowed    bool
}
