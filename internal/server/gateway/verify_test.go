// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/proof"
)

// verifyPDF stands for the validator: it has one answer, and knows what is no PDF.
func verifyPDF(_ context.Context, pdf []byte) (proof.Report, error) {
	if !strings.HasPrefix(string(pdf), "%PDF-") {
		return proof.Report{}, fault.New(fault.Invalid, "nothing can be said of this file: it is not a PDF")
	}
	at := time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)
	return proof.Report{Size: len(pdf), Revisions: 2, Signatures: []proof.Signature{
		{
			Field: "s", Kind: proof.Certification, SubFilter: "ETSI.CAdES.detached", Level: "B-T", Lacks: []string{"something"}, Verdict: proof.Valid,
			Signer: "CN=Erika", Hash: "SHA-256", Trusted: true, Coverage: proof.Coverage{Signed: 7, Own: 2, Outside: 1, Revision: 1, Of: 2},
			Chain: []proof.Certificate{{Subject: "CN=Erika", Issuer: "CN=Root", Serial: "7f", From: at, To: at, Revocation: proof.Revocation{Status: proof.Good, Source: "OCSP", Within: "document", As: at}}},
			Time:  proof.Time{At: at, By: "CN=Stamper", Source: "signature time-stamp"}, Permits: 2,
			Changes: []proof.Change{{Difference: proof.Signing, What: `signature "t"`, Allowed: true}},
		},
		{Field: "t", Kind: proof.Approval, SubFilter: "adbe.pkcs7.detached", Verdict: proof.Unknown, Because: []string{"not trusted"}, Claimed: at},
	}}, nil
}

func TestPDFsAreJudged(t *testing.T) {
	p := newPlatform(t, settings{})
	const path = "/api/v1/ihrebank/verify"
	h := token(p.login("ihrebank"))
	h.Set("Content-Type", "application/pdf")
	got := p.post(path, "%PDF-1.7", h, http.StatusOK).decode(t)
	if got["valid"] != false || len(got["signatures"].([]any)) != 2 {
		t.Errorf("%v", got)
	}
	first := got["signatures"].([]any)[0].(map[string]any)
	if first["level"] != "B-T" || first["verdict"] != "VALID" || first["time"].(map[string]any)["proven"] != "2026-03-09T14:00:00Z" {
		t.Errorf("%v", first)
	}
	if a := p.post(path, "hello", h, http.StatusBadRequest); !strings.Contains(string(a.body), "it is not a PDF") {
		t.Errorf("%s", a.body)
	}
	h.Set("Content-Type", "application/json")
	if a := p.post(path, "%PDF-1.7", h, http.StatusBadRequest); !strings.Contains(string(a.body), "application/pdf") {
		t.Errorf("%s", a.body)
	}
}

func TestPDFsThatAreTooLargeAreNotJudged(t *testing.T) {
	p := newPlatform(t, settings{})
	for name, length := range map[string]int64{"announced": 64<<20 + 1, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			body := io.LimitReader(zeros{}, 64<<20+1)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.server.URL+"/api/v1/ihrebank/verify", body)
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = length
			r.Header = token(p.login("ihrebank"))
			a, err := p.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Body.Close() }() // it was only read
			if a.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%d", a.StatusCode)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestFewPDFsAreReceivedAtOnce has as many senders as there may be who begin and do not end.
func TestFewPDFsAreReceivedAtOnce(t *testing.T) {
	p := newPlatform(t, settings{})
	const path = "/api/v1/ihrebank/verify"
	h := token(p.login("ihrebank"))
	h.Set("Content-Type", "application/pdf")
	var ends []io.Closer
	done := make(chan error, 8)
	for range cap(done) {
		body, end := io.Pipe()
		ends = append(ends, end)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = h.Clone()
		go func() {
			a, err := p.client.Do(r)
			if err == nil {
				err = a.Body.Close()
			}
			done <- err
		}()
		if _, err := io.WriteString(end, "%PDF-1.7"); err != nil {
			t.Fatal(err)
		}
	}
	until := time.Now().Add(10 * time.Second)
	for p.send(p.request(http.MethodPost, path, "%PDF-1.7", h)).StatusCode != http.StatusServiceUnavailable {
		if time.Now().After(until) {
			t.Fatal("a ninth is received too")
		}
	}
	for _, e := range ends {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	p.post(path, "%PDF-1.7", h, http.StatusOK)
}
