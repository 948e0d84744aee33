package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/cms"
)

// accuracy is how far the server's clock may be off: whoever runs it keeps it right.
const accuracy = time.Second

// Timestamp returns a time-stamp token over a SHA-256, with the authority's certificate and
// that of its issuer.
func (a *Authority) Timestamp(_ context.Context, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	return a.stamp(cms.TSTInfo{Hash: crypto.SHA256, Imprint: digest}, true)
}

// TimestampResponse answers a request (RFC 3161) in DER; one that is refused gets an answer
// that says why. The error is for the log, and comes with the answer to send all the same.
func (a *Authority) TimestampResponse(_ context.Context, request []byte) ([]byte, error) {
	q, err := cms.ParseRequest(request)
	switch {
	case errors.Is(err, cms.ErrExtension):
		return cms.Refused(cms.UnacceptedExtension, "no extension is known here"), nil
	case err != nil:
		return cms.Refused(cms.BadDataFormat, "the request cannot be read"), nil
	case q.Hash != crypto.SHA256 && q.Hash != crypto.SHA384 && q.Hash != crypto.SHA512:
		return cms.Refused(cms.BadAlgorithm, "the hash must be SHA-256, SHA-384 or SHA-512"), nil
	case q.Policy != "" && q.Policy != a.config.TimestampPolicy:
		return cms.Refused(cms.UnacceptedPolicy, "the policy must be "+a.config.TimestampPolicy), nil
	}
	token, err := a.stamp(q.InfoFor(), q.WantsCert)
	if err != nil {
		return cms.Refused(cms.SystemFailure, "it cannot be stamped now"), err
	}
	return cms.Granted(token), nil
}

func (a *Authority) stamp(info cms.TSTInfo, withCertificates bool) ([]byte, error) {
	info.Policy, info.Serial, info.Time, info.Accuracy = a.config.TimestampPolicy, newSerial(), a.clock.Now(), accuracy
	if info.Time.After(a.tsa.cert.NotAfter) {
		return nil, errors.New("the time-stamp authority's certificate has expired")
	}
	chain := [][]byte{a.tsa.cert.Raw, a.issuing.cert.Raw}
	carried := chain
	if !withCertificates {
		carried = nil
	}
	draft, err := cms.PrepareToken(info, chain, carried)
	if err != nil {
		return nil, err
	}
	value, err := ecdsa.SignASN1(rand.Reader, a.tsa.key, draft.Digest())
	if err != nil {
		return nil, fmt.Errorf("signing a time-stamp: %w", err)
	}
	return draft.Finish(value, nil)
}
