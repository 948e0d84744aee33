// Left out of fuzzing, which needs no contract.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/cms"
	"vidimus/internal/server/gateway"
	"vidimus/internal/trust/ca"
)

// authority opens the built-in trust service; the template of all platforms has its keys.
func (p *platform) authority(ctx context.Context) (*ca.Authority, error) {
	return ca.Open(ctx, p.db, p.master, p.clock, "https://ident.example.com/assets/certs", ca.Config{})
}

func (p *platform) published(ctx context.Context) (all []gateway.Published, err error) {
	a, err := p.authority(ctx)
	if err != nil {
		return nil, err
	}
	files, err := a.Published(ctx)
	for _, f := range files {
		all = append(all, gateway.Published{Name: f.Name, Use: f.Use, ContentType: f.ContentType, Bytes: f.Bytes})
	}
	return all, err
}

type trust struct{ p *platform }

func (t trust) OCSP(ctx context.Context, request []byte) ([]byte, error) {
	a, err := t.p.authority(ctx)
	if err != nil {
		return nil, err
	}
	return a.OCSP(ctx, request)
}

func (t trust) TimestampResponse(ctx context.Context, request []byte) ([]byte, error) {
	a, err := t.p.authority(ctx)
	if err != nil {
		return nil, err
	}
	return a.TimestampResponse(ctx, request)
}

// certificate fetches one from the page.
func (p *platform) certificate(name string) *x509.Certificate {
	p.t.Helper()
	block, _ := pem.Decode(p.get("/assets/certs/"+name, nil, http.StatusOK).body)
	if block == nil {
		p.t.Fatalf("%s is no PEM", name)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func TestWhatTheTrustServicePublishesIsOnThePage(t *testing.T) {
	p := newPlatform(t, settings{})
	page := string(p.get("/assets/certs/", nil, http.StatusOK).body)
	kinds := map[string]string{"pem": "application/x-pem-file", "cer": "application/pkix-cert", "crl": "application/pkix-crl"}
	for _, name := range []string{
		"vidimus_root.pem", "vidimus_root.cer", "vidimus_root.crl", "vidimus_issuing.pem", "vidimus_issuing.cer", "vidimus_issuing.crl", "vidimus_tsa.pem", "vidimus_ocsp.pem",
	} {
		file := p.get("/assets/certs/"+name, nil, http.StatusOK)
		if !strings.Contains(page, `href="/assets/certs/`+name+`"`) {
			t.Errorf("the page does not lead to %s", name)
		}
		// lists are made anew here, and each signature differs
		if _, end, _ := strings.Cut(name, "."); file.Header.Get("Content-Type") != kinds[end] || end != "crl" && !strings.Contains(page, fmt.Sprintf("%x", sha256.Sum256(file.body))) {
			t.Errorf("%s is %s, or its SHA-256 is not on the page", name, file.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/assets/certs/ocsp", "/assets/certs/tsa", "not a qualified one"} {
		if !strings.Contains(page, path) {
			t.Errorf("the page does not name %s", path)
		}
	}
	root, issuing := p.certificate("vidimus_root.pem"), p.certificate("vidimus_issuing.pem")
	for name, issuer := range map[string]*x509.Certificate{"vidimus_root.crl": root, "vidimus_issuing.crl": issuing} {
		list, err := x509.ParseRevocationList(p.get("/assets/certs/"+name, nil, http.StatusOK).body)
		if err != nil || list.CheckSignatureFrom(issuer) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOCSPIsAskedByPOSTAndByGET(t *testing.T) {
	p := newPlatform(t, settings{})
	tsa, issuing := p.certificate("vidimus_tsa.pem"), p.certificate("vidimus_issuing.pem")
	asks := http.Header{"Content-Type": {"application/ocsp-request"}}
	status := func(a answer) int {
		t.Helper()
		if kind := a.Header.Get("Content-Type"); kind != "application/ocsp-response" {
			t.Errorf("the answer is %s", kind)
		}
		got, err := ocsp.ParseResponseForCert(a.body, tsa, issuing)
		if err != nil {
			t.Fatal(err)
		}
		return got.Status
	}
	// Serial numbers until the request has, in base64, what must be escaped in a path.
	var slash []byte
	for n := int64(1); slash == nil; n++ {
		b, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: big.NewInt(n), RawIssuer: tsa.RawIssuer}, issuing, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := base64.StdEncoding.EncodeToString(b); strings.Contains(text, "/") && strings.Contains(text, "+") {
			slash = b
		}
	}
	request, err := ocsp.CreateRequest(tsa, issuing, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(p.post("/assets/certs/ocsp", string(request), asks, http.StatusOK)); got != ocsp.Good {
		t.Errorf("by POST: %d", got)
	}
	text := base64.StdEncoding.EncodeToString(request)
	for _, path := range []string{url.PathEscape(text), strings.ReplaceAll(url.QueryEscape(text), "%3D", "="), url.PathEscape(strings.TrimRight(text, "="))} {
		if got := status(p.get("/assets/certs/ocsp/"+path, nil, http.StatusOK)); got != ocsp.Good {
			t.Errorf("by GET of %s: %d", path, got)
		}
	}
	for name, path := range map[string]string{"escaped": url.QueryEscape(base64.StdEncoding.EncodeToString(slash)), "as it is": base64.StdEncoding.EncodeToString(slash)} {
		r, err := p.client.Do(p.request(http.MethodGet, "/assets/certs/ocsp/"+path, "", nil))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		_ = r.Body.Close()
		if got, err := ocsp.ParseResponse(b.Bytes(), issuing); err != nil || got.Status != ocsp.Unknown {
			t.Errorf("slashes %s: %v, %v", name, got, err)
		}
	}
}

func TestARevokedCertificateIsSaidToBe(t *testing.T) {
	p := newPlatform(t, settings{})
	a, err := p.authority(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Begin(t.Context(), ca.Subject{CommonName: "Erika Mustermann"})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := x509.ParseCertificate(s.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	issuing := p.certificate("vidimus_issuing.pem")
	request, err := ocsp.CreateRequest(signer, issuing, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{ocsp.Good, ocsp.Revoked} {
		b := p.post("/assets/certs/ocsp", string(request), http.Header{"Content-Type": {"application/ocsp-request"}}, http.StatusOK).body
		got, err := ocsp.ParseResponseForCert(b, signer, issuing)
		if err != nil || got.Status != want {
			t.Errorf("%v, %v, not %d", got, err, want)
		}
		list, err := x509.ParseRevocationList(p.get("/assets/certs/vidimus_issuing.crl", nil, http.StatusOK).body)
		if err != nil || len(list.RevokedCertificateEntries) != want {
			t.Errorf("%d entries, %v", len(list.RevokedCertificateEntries), err)
		}
		if err := a.Revoke(t.Context(), signer.SerialNumber, 4); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTimesAreStamped(t *testing.T) {
	p := newPlatform(t, settings{})
	digest := sha256.Sum256([]byte("a contract"))
	asks := http.Header{"Content-Type": {"application/timestamp-query"}}
	a := p.post("/assets/certs/tsa", string(cms.NewRequest(digest[:], big.NewInt(7))), asks, http.StatusOK)
	if kind := a.Header.Get("Content-Type"); kind != "application/timestamp-reply" {
		t.Errorf("the answer is %s", kind)
	}
	b, err := cms.ParseResponse(a.body)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cms.ParseToken(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(digest[:], nil).Err(); err != nil || !token.Signers[0].Certificate.Equal(p.certificate("vidimus_tsa.pem")) {
		t.Errorf("the token: %v", err)
	}
	if off := token.Info.Time.Sub(p.clock.Now()); off.Abs().Seconds() > 1 || token.Info.Nonce.Int64() != 7 {
		t.Errorf("the token is of %v, nonce %v", token.Info.Time, token.Info.Nonce)
	}
}

func TestBadQuestionsToTheTrustService(t *testing.T) {
	p := newPlatform(t, settings{})
	of := func(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
	const ask, query = "application/ocsp-request", "application/timestamp-query"
	long := strings.Repeat("x", 16<<10+1)
	for _, c := range []struct {
		path, body string
		header     http.Header
		status     int
	}{
		{"ocsp", "nonsense", of(ask), http.StatusOK}, {"ocsp", "", of(ask), http.StatusOK}, {"ocsp", long[1:], of(ask), http.StatusOK},
		{"ocsp", long, of(ask), http.StatusRequestEntityTooLarge}, {"ocsp", "nonsense", of("application/json"), http.StatusBadRequest},
		{"ocsp", "nonsense", of(""), http.StatusBadRequest}, {"ocsp", "nonsense", of(query), http.StatusBadRequest},
		{"tsa", "nonsense", of(query), http.StatusOK}, {"tsa", "", of(query), http.StatusOK}, {"tsa", long, of(query), http.StatusRequestEntityTooLarge},
		{"tsa", "nonsense", of(ask), http.StatusBadRequest},
	} {
		r := p.request(http.MethodPost, "/assets/certs/"+c.path, c.body, c.header)
		if c.body == "" { // which the contract has not
			got, err := p.client.Do(r)
			if err != nil || got.StatusCode != c.status {
				t.Errorf("%s without a body: %v, %v", c.path, got.Status, err)
			}
			_ = got.Body.Close()
			continue
		}
		a := p.want(r, c.status)
		if malformed := []byte{0x30, 3, 0x0a, 1, 1}; c.status == http.StatusOK && c.path == "ocsp" && !bytes.Equal(a.body, malformed) {
			t.Errorf("%s %.20s: %x", c.path, c.body, a.body)
		}
		if _, err := cms.ParseResponse(a.body); c.status == http.StatusOK && c.path == "tsa" && (err == nil || a.body[0] != 0x30) {
			t.Errorf("%s %.20s: %x", c.path, c.body, a.body)
		}
	}
	for _, path := range []string{"%21", "MAo%3D", "%00", "AAAA"} {
		if got := p.get("/assets/certs/ocsp/"+path, nil, http.StatusOK).body; !bytes.Equal(got, []byte{0x30, 3, 0x0a, 1, 1}) {
			t.Errorf("%s: %x", path, got)
		}
	}
	for _, path := range []string{"ocsp", "tsa"} {
		if a := p.get("/assets/certs/"+path, nil, http.StatusMethodNotAllowed); a.Header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s allows %s", path, a.Header.Get("Allow"))
		}
	}
}

func TestQuestionsToTheTrustServiceAreBounded(t *testing.T) {
	p := newPlatform(t, settings{})
	asks := http.Header{"Content-Type": {"application/ocsp-request"}}
	for range 600 {
		p.post("/assets/certs/ocsp", "nonsense", asks, http.StatusOK)
	}
	a := p.post("/assets/certs/tsa", "nonsense", http.Header{"Content-Type": {"application/timestamp-query"}}, http.StatusTooManyRequests)
	if a.Header.Get("Retry-After") == "" {
		t.Error("nobody is told when to come back")
	}
	p.get("/assets/certs/vidimus_issuing.crl", nil, http.StatusOK)
	asks.Set("X-Forwarded-For", "192.0.2.7") // somebody else
	p.post("/assets/certs/ocsp", "nonsense", asks, http.StatusOK)
}

func TestValidatorsAskOverPlainHTTPInLiveToo(t *testing.T) {
	p := newPlatform(t, settings{live: true})
	for _, path := range []string{"vidimus_root.crl", "vidimus_issuing.crl", "vidimus_root.cer", "vidimus_issuing.cer", "ocsp/MAo="} {
		if a := p.get("/assets/certs/"+path, nil, http.StatusOK); a.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s says HSTS over plain HTTP", path)
		}
	}
	p.post("/assets/certs/ocsp", "x", http.Header{"Content-Type": {"application/ocsp-request"}}, http.StatusOK)
	p.post("/assets/certs/tsa", "x", http.Header{"Content-Type": {"application/timestamp-query"}}, http.StatusOK)
	for _, path := range []string{"", "vidimus_root.pem", "results_signing.pem"} {
		p.get("/assets/certs/"+path, nil, http.StatusPermanentRedirect)
	}
}
