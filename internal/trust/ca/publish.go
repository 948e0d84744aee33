package ca

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"vidimus/internal/domain/fault"

	"vidimus/internal/domain/audit"
)

// The names below the base URL.
const (
	rootCert    = "vidimus_root.cer"
	issuingCert = "vidimus_issuing.cer"
	rootCRL     = "vidimus_root.crl"
	issuingCRL  = "vidimus_issuing.crl"
)

const (
	reuse       = time.Hour          // how long an answer about a lasting certificate is given again
	answerValid = 24 * time.Hour     // nextUpdate of an OCSP answer
	listValid   = 7 * 24 * time.Hour // nextUpdate of a CRL
	mostRevoked = 100_000            // entries of a CRL
)

// cached is an answer that was given before.
type cached struct {
	bytes []byte
	made  time.Time
}

// cachedFor returns what was made within reuse, or makes it. Two at once may both make it.
func (a *Authority) cachedFor(key string, make func(now time.Time) ([]byte, error)) ([]byte, error) {
	now := a.clock.Now()
	a.gate.Lock()
	had, ok := a.cache[key]
	a.gate.Unlock()
	if ok && now.Sub(had.made) < reuse && !now.Before(had.made) {
		return had.bytes, nil
	}
	b, err := make(now)
	if err != nil {
		return nil, err
	}
	a.gate.Lock()
	a.cache[key] = cached{b, now}
	a.gate.Unlock()
	return b, nil
}

// File is one that is published below the base URL.
type File struct {
	Name, ContentType string
	Use               string // what it is, in a few words
	Bytes             []byte
}

// Published returns the certificates, each as PEM and, where certificates name its address,
// as DER, and the CRLs.
func (a *Authority) Published(ctx context.Context) ([]File, error) {
	root, issuing, err := a.CRL(ctx)
	if err != nil {
		return nil, err
	}
	const asPEM, asDER, asCRL = "application/x-pem-file", "application/pkix-cert", "application/pkix-crl"
	return []File{
		{"vidimus_root.pem", asPEM, "Root of the built-in trust service (not qualified): what validators of signatures trust", pemOf(a.root.cert.Raw)},
		{rootCert, asDER, "The root, in DER", a.root.cert.Raw},
		{"vidimus_issuing.pem", asPEM, "Issuing authority, which issues the certificates of signers", pemOf(a.issuing.cert.Raw)},
		{issuingCert, asDER, "The issuing authority, in DER", a.issuing.cert.Raw},
		{"vidimus_tsa.pem", asPEM, "Time-stamp authority (RFC 3161)", pemOf(a.tsa.cert.Raw)},
		{"vidimus_ocsp.pem", asPEM, "OCSP responder (RFC 6960)", pemOf(a.responder.cert.Raw)},
		{rootCRL, asCRL, "Revocation list of the root", root},
		{issuingCRL, asCRL, "Revocation list of the issuing authority", issuing},
	}, nil
}

// CRL returns the revocation lists of the root and of the issuing authority, in DER, at most
// an hour old.
func (a *Authority) CRL(ctx context.Context) (root, issuing []byte, err error) {
	if root, err = a.cachedFor(rootCRL, func(now time.Time) ([]byte, error) { return a.list(ctx, a.root, now) }); err != nil {
		return nil, nil, err
	}
	issuing, err = a.cachedFor(issuingCRL, func(now time.Time) ([]byte, error) { return a.list(ctx, a.issuing, now) })
	return root, issuing, err
}

// list makes a CRL. Its number is the time, which grows on all nodes.
func (a *Authority) list(ctx context.Context, issuer *identity, now time.Time) ([]byte, error) {
	own, err := a.revokedBy(ctx, issuer)
	if err != nil {
		return nil, err
	}
	now = now.Truncate(time.Second)
	template := &x509.RevocationList{Number: big.NewInt(now.UnixMilli()), ThisUpdate: now, NextUpdate: now.Add(listValid), RevokedCertificateEntries: own}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer.cert, issuer.key)
	if err != nil {
		return nil, fmt.Errorf("making a revocation list: %w", err)
	}
	return der, nil
}

// revokedBy returns what an authority has revoked: the root has issued one certificate, which
// is asked about by itself, so that its list does not depend on how many signers there were.
func (a *Authority) revokedBy(ctx context.Context, issuer *identity) ([]x509.RevocationListEntry, error) {
	issuing := a.issuing.cert.SerialNumber
	if issuer == a.root {
		revoked, reason, err := a.store.CertificateStatus(ctx, serialText(issuing))
		if fault.Is(err, fault.NotFound) || err == nil && revoked.IsZero() {
			return nil, nil
		}
		return []x509.RevocationListEntry{{SerialNumber: issuing, RevocationTime: revoked, ReasonCode: reason}}, err
	}
	all, err := a.store.RevokedCertificates(ctx, mostRevoked+1)
	if err != nil {
		return nil, err
	}
	if len(all) > mostRevoked {
		return nil, errors.New("more certificates are revoked than a list may have")
	}
	return slices.DeleteFunc(all, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(issuing) == 0 }), nil
}

// Revoke revokes a certificate for good, by its serial number and for a reason of RFC 5280,
// 5.3.1: 1 the key was stolen, 4 it is replaced, 5 it is not used any more, 0 not said. The
// trail says that an operator did it; one that is revoked already stays as it is. Answers to
// who asks by OCSP say so at once, lists that this process makes too, those of others, and
// what is put into signed files about the authorities, within an hour. fault.NotFound.
func (a *Authority) Revoke(ctx context.Context, serial *big.Int, reason int) error {
	if reason < 0 || reason > 5 {
		return errors.New("a certificate is revoked for a reason from 0 to 5")
	}
	if serial.Cmp(a.root.cert.SerialNumber) == 0 {
		return errors.New("a root cannot be revoked: whoever trusts it must cease to")
	}
	now := a.clock.Now()
	err := a.store.InTx(ctx, func(ctx context.Context) error {
		fresh, err := a.store.RevokeCertificate(ctx, serialText(serial), now, reason)
		if err != nil || !fresh {
			return err
		}
		return a.store.Audit(ctx, audit.Entry{
			Chain: audit.Installation, At: now, Actor: "operator", Act: "certificate.revoked", Detail: fmt.Sprintf("%s, reason %d", serialText(serial), reason),
		})
	})
	if err != nil {
		return err
	}
	a.gate.Lock()
	clear(a.cache)
	a.gate.Unlock()
	return nil
}

// Root returns the root's certificate in DER, for a verifier that trusts it.
func (a *Authority) Root() []byte { return bytes.Clone(a.root.cert.Raw) }
