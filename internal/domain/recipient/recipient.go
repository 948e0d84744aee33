// Package recipient decides which certificate a mail with a result may be encrypted to.
// Specification, chapter 10.2. Who is behind a certificate it does not ask: the company
// handed it over itself, so chains and revocation say nothing that is not known.
package recipient

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/fault"
)

// Bounds of RSA keys, in bits. Below, the key can be broken; above, mail programs give up.
const (
	minRSA = 2048
	maxRSA = 16384
)

// Choose returns the one certificate that mails are encrypted to at that time, among those
// of a file: not one that issued another of them, and of several for one key the one that
// is good for longest. Otherwise fault.Invalid, whose message goes on from "this one": why
// the only candidate is not good, or that there are several.
func Choose(der [][]byte, at time.Time) (*x509.Certificate, error) {
	all, err := parse(der)
	if err != nil {
		return nil, err
	}
	candidates := leaves(all)
	var good []*x509.Certificate
	var reason error
	for _, c := range candidates {
		if err := Check(c, at); err == nil {
			good = append(good, c)
		} else if reason == nil {
			reason = err
		}
	}
	if len(good) == 0 {
		return nil, reason
	}
	best := good[0]
	for _, c := range good[1:] {
		if !bytes.Equal(c.RawSubjectPublicKeyInfo, best.RawSubjectPublicKeyInfo) {
			return nil, fault.New(fault.Invalid, "holds several certificates that mails could be encrypted to: leave only the one that is meant")
		}
		if c.NotAfter.After(best.NotAfter) {
			best = c
		}
	}
	return best, nil
}

// parse reads each certificate once.
func parse(der [][]byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, b := range der {
		c, err := x509.ParseCertificate(b)
		switch {
		case err != nil && strings.Contains(err.Error(), "elliptic curve"):
			return nil, fault.New(fault.Invalid, "has a key on an elliptic curve other than P-256, P-384 and P-521").Because(err)
		case err != nil:
			return nil, fault.New(fault.Invalid, "is no X.509 certificate").Because(err)
		case !slices.ContainsFunc(all, c.Equal):
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "holds no certificate")
	}
	return all, nil
}

// leaves returns those that issued none of the others.
func leaves(all []*x509.Certificate) []*x509.Certificate {
	var list []*x509.Certificate
	for _, c := range all {
		issued := slices.ContainsFunc(all, func(o *x509.Certificate) bool {
			selfIssued := bytes.Equal(o.RawSubject, o.RawIssuer) // an old and a new one of one owner issue nobody
			return !selfIssued && bytes.Equal(o.RawIssuer, c.RawSubject)
		})
		if !issued {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return all
	}
	return list
}

// Check returns nil when mails can be encrypted to c at that time, otherwise fault.Invalid,
// whose message goes on from "this one". CA:TRUE is no reason to refuse: certificates that
// people make for themselves have it. Nor is keyEncipherment in the place of keyAgreement
// with a key on an elliptic curve: the owner means encryption, and programs decrypt.
func Check(c *x509.Certificate, at time.Time) error {
	for _, check := range []func() error{
		func() error { return checkKey(c) },
		func() error { return checkTime(c, at) },
		func() error { return checkUse(c) },
		func() error { return checkSignature(c) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

var rsaPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}

func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA || n > maxRSA {
			return fault.New(fault.Invalid, "has an RSA key of %d bits, where %d to %d are needed", n, minRSA, maxRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return fault.New(fault.Invalid, "has a key on an elliptic curve other than P-256, P-384 and P-521")
		}
		return nil
	case ed25519.PublicKey:
		return fault.New(fault.Invalid, "has an Ed25519 key, which can sign but not decrypt")
	}
	var info struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err == nil && info.Algorithm.ID.Equal(rsaPSS) {
		return fault.New(fault.Invalid, "has an RSASSA-PSS key, which can sign but not decrypt")
	}
	return fault.New(fault.Invalid, "has a key that is neither RSA nor on the elliptic curves P-256, P-384 and P-521")
}

func checkTime(c *x509.Certificate, at time.Time) error {
	switch {
	case at.After(c.NotAfter):
		return fault.New(fault.Invalid, "has expired: it was good until %s", day(c.NotAfter))
	case at.Before(c.NotBefore):
		return fault.New(fault.Invalid, "is not yet valid: it will be from %s on", day(c.NotBefore))
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

var keyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}

func checkUse(c *x509.Certificate) error {
	limited := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(keyUsage) })
	if limited {
		allowed, missing := x509.KeyUsageKeyEncipherment, "keyEncipherment"
		if _, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
			allowed, missing = allowed|x509.KeyUsageKeyAgreement, "keyAgreement"
		}
		if c.KeyUsage&allowed == 0 {
			return fault.New(fault.Invalid, "may not be encrypted to: its key usage lacks %s", missing)
		}
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return fault.New(fault.Invalid, "is not meant for mails: its extended key usage lacks emailProtection")
	}
	return nil
}

func checkSignature(c *x509.Certificate) error {
	if slices.Contains([]x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1}, c.SignatureAlgorithm) {
		return fault.New(fault.Invalid, "is signed with %s, which can be forged", c.SignatureAlgorithm)
	}
	return nil
}
