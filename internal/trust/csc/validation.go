package csc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/cms"
)

// The bounds of what certificates point to.
const (
	longestCertificate = 64 << 10
	longestAnswer      = 256 << 10
	longestList        = 16 << 20
	deepest            = 8         // certificates of a chain
	reuse              = time.Hour // how long the chain of the time-stamp authority is taken for known
)

// stampChain is the chain of the time-stamp authority, as a time-stamp showed it.
type stampChain struct {
	chain []*x509.Certificate
	seen  time.Time
}

// Validation fetches what proves that the signer's and the time-stamp authority's
// certificates are valid, from where they say that it is: an OCSP answer for each or, where
// there is none to be had, the issuer's list. All of it is checked. A certificate that is
// revoked is an error.
func (s *Session) Validation(ctx context.Context) (cms.Validation, error) {
	stamps, err := s.client.stampChain(ctx)
	if err != nil {
		return cms.Validation{}, err
	}
	f := fetcher{client: s.client, had: map[string]bool{}}
	for _, chain := range [][]*x509.Certificate{s.chain, stamps} {
		if err := f.chain(ctx, chain); err != nil {
			return cms.Validation{}, err
		}
	}
	return f.v, nil
}

// stampChain makes a time-stamp over nothing to see who makes them, once in a while.
func (c *Client) stampChain(ctx context.Context) ([]*x509.Certificate, error) {
	c.gate.Lock()
	had := c.stamps
	c.gate.Unlock()
	now := c.clock.Now()
	if had != nil && now.Sub(had.seen) < reuse {
		return had.chain, nil
	}
	sum := sha256.Sum256(nil)
	b, err := c.timestamp(ctx, sum[:])
	if err != nil {
		return nil, err
	}
	token, err := cms.ParseToken(b)
	if err != nil {
		return nil, err
	}
	chain, err := c.complete(ctx, token.Signers[0].Certificate, token.Certificates)
	if err != nil {
		return nil, err
	}
	if len(chain) == 1 {
		// Nobody vouches for it: whoever stands between could have made it.
		return nil, errors.New("the issuer of the time-stamp authority's certificate cannot be had")
	}
	c.gate.Lock()
	defer c.gate.Unlock()
	c.stamps = &stampChain{chain, now}
	return chain, nil
}

// complete puts a chain in order, and fetches the issuers that are missing from where the
// certificates say they are. It ends where no issuer can be had: some roots are not published.
func (c *Client) complete(ctx context.Context, first *x509.Certificate, known []*x509.Certificate) ([]*x509.Certificate, error) {
	chain := []*x509.Certificate{first}
	for last := first; len(chain) < deepest && !bytes.Equal(last.RawIssuer, last.RawSubject); {
		var issuer *x509.Certificate
		for _, one := range known {
			if last.CheckSignatureFrom(one) == nil {
				issuer = one
				break
			}
		}
		for _, address := range last.IssuingCertificateURL[:min(len(last.IssuingCertificateURL), 2)] {
			if issuer != nil {
				break
			}
			b, err := c.get(ctx, address, "an issuer's certificate", longestCertificate)
			if err != nil {
				return nil, err
			}
			if one, err := x509.ParseCertificate(b); err == nil && last.CheckSignatureFrom(one) == nil {
				issuer = one
			}
		}
		if issuer == nil {
			break
		}
		chain, last = append(chain, issuer), issuer
	}
	return chain, nil
}

// fetcher collects validation data, each piece once.
type fetcher struct {
	client *Client
	v      cms.Validation
	had    map[string]bool
}

func (f *fetcher) add(list *[][]byte, der []byte) {
	if !f.had[string(der)] {
		f.had[string(der)] = true
		*list = append(*list, der)
	}
}

func (f *fetcher) chain(ctx context.Context, chain []*x509.Certificate) error {
	for n, c := range chain {
		seen := f.had[string(c.Raw)]
		f.add(&f.v.Certificates, c.Raw)
		if n+1 == len(chain) || seen {
			continue
		}
		if err := f.revocation(ctx, c, chain[n+1]); err != nil {
			return fmt.Errorf("fetching what proves that a certificate is valid: %w", err)
		}
	}
	return nil
}

// revocation asks about one certificate by OCSP, and by list when that cannot be had.
func (f *fetcher) revocation(ctx context.Context, c, issuer *x509.Certificate) error {
	var failed []error
	for _, address := range c.OCSPServer[:min(len(c.OCSPServer), 2)] {
		err := f.ocsp(ctx, address, c, issuer)
		if err == nil || errors.Is(err, errRevoked) {
			return err
		}
		failed = append(failed, err)
	}
	for _, address := range c.CRLDistributionPoints[:min(len(c.CRLDistributionPoints), 2)] {
		err := f.list(ctx, address, c, issuer)
		if err == nil || errors.Is(err, errRevoked) {
			return err
		}
		failed = append(failed, err)
	}
	if len(failed) == 0 {
		return errors.New("a certificate does not say where to ask about it")
	}
	return errors.Join(failed...)
}

// mayAnswer says whether a certificate may sign answers of OCSP for its issuer (RFC 6960,
// 4.2.2.2): the issuer itself, or one that says so and is valid now. That the issuer has issued
// it was checked before; nil is the issuer.
func mayAnswer(responder, issuer *x509.Certificate, now time.Time) bool {
	if responder == nil || responder.Equal(issuer) {
		return true
	}
	return slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && !now.Before(responder.NotBefore) && !now.After(responder.NotAfter)
}

var errRevoked = errors.New("a certificate is revoked")

func (f *fetcher) ocsp(ctx context.Context, address string, c, issuer *x509.Certificate) error {
	request, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil {
		return fmt.Errorf("writing an OCSP request: %w", err)
	}
	r, err := newRequest(ctx, http.MethodPost, address, request)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/ocsp-request")
	status, b, err := f.client.send(r, "an OCSP answer", longestAnswer)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return &refusal{"an OCSP answer", status, ""}
	}
	answer, err := ocsp.ParseResponseForCert(b, c, issuer)
	if err != nil {
		return fmt.Errorf("reading an OCSP answer: %w", err)
	}
	now := f.client.clock.Now()
	switch {
	case answer.Status == ocsp.Revoked:
		return errRevoked
	case answer.Status != ocsp.Good:
		return errors.New("OCSP does not know the certificate")
	case !mayAnswer(answer.Certificate, issuer, now):
		return errors.New("the OCSP answer is signed by somebody who may not")
	case answer.ThisUpdate.After(now.Add(5*time.Minute)) || !answer.NextUpdate.IsZero() && answer.NextUpdate.Before(now):
		return errors.New("the OCSP answer is not of now")
	}
	f.add(&f.v.OCSPs, b)
	if answer.Certificate != nil && !answer.Certificate.Equal(issuer) {
		f.add(&f.v.Certificates, answer.Certificate.Raw)
	}
	return nil
}

func (f *fetcher) list(ctx context.Context, address string, c, issuer *x509.Certificate) error {
	b, err := f.client.get(ctx, address, "a revocation list", longestList)
	if err != nil {
		return err
	}
	list, err := x509.ParseRevocationList(b)
	if err != nil {
		return fmt.Errorf("reading a revocation list: %w", err)
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return fmt.Errorf("a revocation list is not its issuer's: %w", err)
	}
	if now := f.client.clock.Now(); list.ThisUpdate.After(now.Add(5*time.Minute)) || list.NextUpdate.Before(now) {
		return errors.New("the revocation list is not of now")
	}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
			return errRevoked
		}
	}
	f.add(&f.v.CRLs, b)
	return nil
}

func (c *Client) get(ctx context.Context, address, what string, most int64) ([]byte, error) {
	r, err := newRequest(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	status, b, err := c.send(r, what, most)
	if err == nil && status != http.StatusOK {
		err = &refusal{what, status, ""}
	}
	return b, err
}

// newRequest asks at an address that a certificate names.
func newRequest(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("a certificate names an address that cannot be asked")
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("a certificate names an address that cannot be asked")
	}
	return r, nil
}
