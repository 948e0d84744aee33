// Package sign signs PDF files as PAdES asks for (ETSI EN 319 142-1, ISO 32000-2, 12.8):
// levels B-B to B-LTA, by incremental updates, so that what others have signed before stays
// as it was. Specification, chapter 7. Who signs, and with which key, is not decided here:
// see Credential.
package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/esign"
	"vidimus/internal/pdf/file"
)

// Level is how long a signature can be proved (EN 319 142-1, 6).
type Level int

// The levels; each holds what the one before it holds.
const (
	BB   Level = iota // a signature
	BT                // with a time-stamp
	BLT               // with the certificates and revocation data of signer and time-stamp
	BLTA              // with a time-stamp over all of that
)

// Credential signs for one person, or one installation.
type Credential interface {
	// Chain is DER, the signer's certificate first.
	Chain() [][]byte
	// Sign returns the signature of a SHA-256: ECDSA as ASN.1, RSA by PKCS #1 v1.5.
	Sign(ctx context.Context, digest []byte) ([]byte, error)
	// Timestamp returns a time-stamp token (RFC 3161) over a SHA-256.
	Timestamp(ctx context.Context, digest []byte) ([]byte, error)
	// Validation returns what proves signer and time-stamp.
	Validation(ctx context.Context) (Validation, error)
}

// Validation is what proves signatures: certificates, answers of OCSP (BasicOCSPResponse in
// an OCSPResponse) and lists of revoked certificates, all in DER.
type Validation struct{ Certificates, OCSPs, CRLs [][]byte }

// Appearance draws a signature. Add hands its objects to a writer, for a page that is
// displayed turned by so many degrees, and returns the number of its form XObject; the
// dictionaries come without their brackets.
type Appearance interface {
	Add(rotate int, add func(dictionary string, stream []byte) int) int
}

// Place is where a signature is shown, and how.
type Place struct {
	esign.Spot
	Appearance Appearance
}

// Request says how a file is signed. The texts are what readers show.
type Request struct {
	Level    Level
	Time     time.Time // of the signing, as it is claimed; the time-stamp proves it
	Name     string
	Reason   string
	Location string
	// Places: the first is the signature's field, the others show it too. None: it is
	// invisible.
	Places []Place
	Tool   string // what signs
}

// tokenRoom is how many bytes are kept for a time-stamp token at first. One that is larger is
// asked for again, with the room that it needs, up to maxToken.
const (
	tokenRoom = 8 << 10
	maxToken  = 256 << 10
)

// shortage is an error of make for withRoom: so many bytes of room were missing.
type shortage struct{ missing int }

func (s *shortage) Error() string {
	return fmt.Sprintf("the signature is %d bytes larger than the room that was kept for it", s.missing)
}

// withRoom has a revision made that holds a time-stamp token: anew, with more room, when the
// token was larger than the room. Tokens differ a little in size, so the room gets a bit more.
func withRoom(make func(room int) ([]byte, error)) ([]byte, error) {
	for room := tokenRoom; ; {
		out, err := make(room)
		short, ok := errors.AsType[*shortage](err)
		if !ok {
			return out, err
		}
		if room += short.missing + 256; room > maxToken {
			return nil, err
		}
	}
}

// laterRoom is about how many bytes the revisions behind the signature have; more are a copy.
const laterRoom = 64 << 10

// byteRangeRoom holds a /ByteRange of offsets below 10,000,000,000.
const byteRangeRoom = len("[0 0123456789 0123456789 0123456789]")

// Sign returns the file with one more signature. The bytes of the file are copied once.
// fault.Invalid, with a reason that a company can read, for what file.Open refuses, a file
// whose certification forbids it, and a field that is not there or is signed already.
func Sign(ctx context.Context, content []byte, r Request, c Credential) ([]byte, error) {
	f, err := file.Open(content)
	if err != nil {
		return nil, err
	}
	if err := permitted(f, r); err != nil {
		return nil, err
	}
	out, err := withRoom(func(room int) ([]byte, error) { return addSignature(ctx, f, content, r, c, room) })
	if err != nil {
		return nil, err
	}
	if r.Level >= BLT {
		if out, err = addValidation(ctx, out, c); err != nil {
			return nil, err
		}
	}
	if r.Level >= BLTA {
		return addTimestamp(ctx, out, c)
	}
	return out, nil
}

// addSignature appends the revision that holds the signature, with room for a token.
func addSignature(ctx context.Context, f *file.File, content []byte, r Request, c Credential, tokenRoom int) ([]byte, error) {
	u := newRevision(f)
	room, err := roomFor(c.Chain(), r.Level, tokenRoom)
	if err != nil {
		return nil, err
	}
	if err := u.addSignature(r, room); err != nil {
		return nil, err
	}
	u.finish()
	capacity := len(content) + u.Size()
	if r.Level >= BLT {
		capacity += laterRoom
	}
	out := append(make([]byte, 0, capacity), content...)
	out, at := u.AppendTo(out, u.signature)
	hole, digest := seal(out, at)
	draft, err := cms.Prepare(digest, c.Chain())
	if err != nil {
		return nil, fmt.Errorf("preparing a signature: %w", err)
	}
	value, err := c.Sign(ctx, draft.Digest())
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	var token []byte
	if r.Level >= BT {
		sum := sha256.Sum256(value)
		if token, err = c.Timestamp(ctx, sum[:]); err != nil {
			return nil, fmt.Errorf("fetching a time-stamp: %w", err)
		}
	}
	message, err := draft.Finish(value, token)
	if err != nil {
		return nil, fmt.Errorf("finishing a signature: %w", err)
	}
	return out, fill(hole, message)
}

// addValidation appends a revision with what proves the signature. It is one of its own, behind
// the signature: the EU's DSS counts a store in the signed revision as level B-T only.
func addValidation(ctx context.Context, signed []byte, c Credential) ([]byte, error) {
	v, err := c.Validation(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetching what proves the signature: %w", err)
	}
	f, err := file.Open(signed)
	if err != nil {
		return nil, fmt.Errorf("reading what was signed: %w", err)
	}
	u := newRevision(f)
	u.addValidation(v)
	u.putCatalog()
	out, _ := u.AppendTo(signed, file.Ref{})
	return out, nil
}

// roomFor is how many bytes the message may have.
func roomFor(chain [][]byte, level Level, tokenRoom int) (int, error) {
	draft, err := cms.Prepare(make([]byte, sha256.Size), chain)
	if err != nil {
		return 0, fmt.Errorf("preparing a signature: %w", err)
	}
	token := 0
	if level >= BT {
		token = tokenRoom
	}
	return draft.Size(token) + 64, nil
}

// addTimestamp appends a revision with a time-stamp over the whole file.
func addTimestamp(ctx context.Context, signed []byte, c Credential) ([]byte, error) {
	f, err := file.Open(signed)
	if err != nil {
		return nil, fmt.Errorf("reading what was signed: %w", err)
	}
	return withRoom(func(room int) ([]byte, error) {
		u := newRevision(f)
		if err := u.addDocumentTimestamp(room); err != nil {
			return nil, err
		}
		u.finish()
		out, at := u.AppendTo(signed, u.signature)
		hole, digest := seal(out, at)
		token, err := c.Timestamp(ctx, digest)
		if err != nil {
			return nil, fmt.Errorf("fetching a time-stamp: %w", err)
		}
		return out, fill(hole, token)
	})
}

// seal sets the byte range of the signature whose dictionary begins at at, and returns the
// hole for its message, brackets left out, and the SHA-256 of everything around it.
func seal(out []byte, at int) (hole, digest []byte) {
	begin := at + contentsAt // of the bracket
	end := begin
	for out[end] != '>' {
		end++
	}
	end++
	text := fmt.Appendf(nil, "[0 %d %d %d]", begin, end, len(out)-end)
	room := out[at+byteRangeAt : at+byteRangeAt+byteRangeRoom]
	for i := copy(room, text); i < len(room); i++ {
		room[i] = ' '
	}
	sum := sha256.New()
	_, _ = sum.Write(out[:begin])
	_, _ = sum.Write(out[end:])
	return out[begin+1 : end-1], sum.Sum(nil)
}

func fill(hole, message []byte) error {
	if missing := len(message) - hex.DecodedLen(len(hole)); missing > 0 {
		return &shortage{missing}
	}
	hex.Encode(hole, message)
	return nil
}

// Check says whether a file can be signed: fault.Invalid, with a reason that a company can
// read, when it cannot.
func Check(content []byte) error {
	f, err := file.Open(content)
	if err != nil {
		return err
	}
	if err := permitted(f, Request{}); err != nil {
		return err
	}
	if _, err := f.Fields(); err != nil {
		return file.Damaged("%v", err)
	}
	return nil
}

// CheckPlaces says whether the file can be signed there: the faults of Sign.
func CheckPlaces(content []byte, spots []esign.Spot) error {
	f, err := file.Open(content)
	if err != nil {
		return err
	}
	r := Request{Places: make([]Place, len(spots))}
	for i, s := range spots {
		r.Places[i].Spot = s
	}
	if err := permitted(f, r); err != nil {
		return err
	}
	return newRevision(f).addSignature(r, 0)
}
