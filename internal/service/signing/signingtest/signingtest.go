// Package signingtest stands in for what package signing needs of the outside, in tests of
// those above it: files are looked into by their letters, and a signature is a line that is
// appended. What a real signature is, the tests of the adapters and of the whole program show.
package signingtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/signing"
)

// Inspector takes for a PDF what begins like one, and finds each text and field as often as
// its name stands in the file; pages there are three. A file with the word trouble breaks it.
type Inspector struct{}

// Check implements signing.Inspector.
func (Inspector) Check(_ context.Context, file []byte) error {
	switch {
	case bytes.Contains(file, []byte("trouble")):
		return errors.New("the inspector broke")
	case !bytes.HasPrefix(file, []byte("%PDF-")):
		return fault.New(fault.Invalid, "This is not a PDF file")
	}
	return nil
}

// Places implements signing.Inspector.
func (Inspector) Places(_ context.Context, file []byte, want []esign.Signature) ([]esign.Spot, error) {
	var all []esign.Spot
	for _, w := range want {
		n := bytes.Count(file, []byte(w.Position.AcroField+w.Position.TextContent))
		if w.Position.Page > 0 {
			n = 0
			if w.Position.Page <= 3 {
				n = 1
			}
		}
		for range n {
			all = append(all, esign.Spot{Signature: w.Name, Page: 1})
		}
	}
	return all, nil
}

// Trust issues certificates that nobody trusts. Begun are the subjects, Open how many sessions
// are not closed.
type Trust struct {
	Begun []signing.Subject
	Open  int
	Fails error // of Begin
}

// Begin implements signing.Trust.
func (t *Trust) Begin(_ context.Context, s signing.Subject) (signing.Session, error) {
	if t.Fails != nil {
		return nil, t.Fails
	}
	t.Begun = append(t.Begun, s)
	return t.session(s.CommonName)
}

// Seal implements signing.Trust.
func (t *Trust) Seal(context.Context) (signing.Session, error) { return t.session("seal") }

func (t *Trust) session(name string) (signing.Session, error) {
	t.Open++
	return &session{t, []byte("certificate of " + name)}, nil
}

type session struct {
	trust *Trust
	der   []byte
}

func (s *session) Chain() [][]byte { return [][]byte{s.der} }

func (*session) Sign(context.Context, []byte) ([]byte, error) { return nil, errors.New("not here") }

func (*session) Timestamp(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("not here")
}

func (*session) Validation(context.Context) (signing.Validation, error) {
	return signing.Validation{}, errors.New("not here")
}

func (s *session) Close() { s.trust.Open-- }

// Pen signs by a line at the end. Orders are what was signed.
type Pen struct {
	Orders []signing.Order
	Fails  error
}

// Sign implements signing.Pen.
func (p *Pen) Sign(_ context.Context, content []byte, o signing.Order, _ signing.Session) ([]byte, error) {
	if p.Fails != nil {
		return nil, p.Fails
	}
	p.Orders = append(p.Orders, o)
	return fmt.Appendf(bytes.Clone(content), " signed by %s, %s, %d places", o.Name, o.Level, len(o.Places)), nil
}

// Recorder writes records as text.
type Recorder struct{}

// Record implements signing.Recorder.
func (Recorder) Record(w io.Writer, r signing.Record) error {
	_, err := fmt.Fprintf(w, "record of %s by %s: %v", r.Number, r.Signer, r.Documents)
	return err
}

// Fill puts the stand-ins into o and returns those that can be asked about.
func Fill(o signing.Options) (signing.Options, *Trust, *Pen) {
	trust, pen := &Trust{}, &Pen{}
	o.Inspector, o.Trust, o.Pen, o.Recorder = Inspector{}, trust, pen, Recorder{}
	return o, trust, pen
}
