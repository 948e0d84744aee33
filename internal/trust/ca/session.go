package ca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"vidimus/internal/domain/cms"
)

// Subject is who signs, as verified. CommonName is made from the names when it is empty, and
// cut to the 64 characters that X.520 gives it; Country is two capital letters; SerialNumber
// tells people of one name apart. What is empty is left out.
type Subject struct {
	GivenName, Surname, CommonName, Country, SerialNumber string
}

const longestName = 256 // characters of a given name or a surname

var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname      = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidGivenName    = asn1.ObjectIdentifier{2, 5, 4, 42}
)

// name returns the subject in DER. Errors do not repeat what they are about.
func (s Subject) name() ([]byte, error) {
	if s.CommonName == "" {
		s.CommonName = strings.TrimSpace(s.GivenName + " " + s.Surname)
	}
	if runes := []rune(s.CommonName); len(runes) > 64 {
		s.CommonName = strings.TrimSpace(string(runes[:64]))
	}
	if s.CommonName == "" {
		return nil, errors.New("a signer needs a name")
	}
	if c := s.Country; c != "" && (len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return nil, errors.New("a signer's country must be two capital letters")
	}
	var sequence pkix.RDNSequence
	for _, part := range []struct {
		id    asn1.ObjectIdentifier
		value string
		most  int
	}{
		{oidCountry, s.Country, 2}, {oidGivenName, s.GivenName, longestName}, {oidSurname, s.Surname, longestName},
		{oidSerialNumber, s.SerialNumber, 64}, {oidCommonName, s.CommonName, 64},
	} {
		if part.value == "" {
			continue
		}
		if !utf8.ValidString(part.value) || utf8.RuneCountInString(part.value) > part.most || strings.ContainsFunc(part.value, unicode.IsControl) {
			return nil, errors.New("a part of a signer's name is too long or has characters that no name has")
		}
		sequence = append(sequence, pkix.RelativeDistinguishedNameSET{{Type: part.id, Value: part.value}})
	}
	if strings.ContainsFunc(s.SerialNumber, func(r rune) bool { return !isPrintable(r) }) {
		return nil, errors.New("a signer's serial number has characters that none may have")
	}
	return asn1.Marshal(sequence)
}

// isPrintable says whether a PrintableString may hold it: serial numbers are such.
func isPrintable(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" '()+,-./:=?", r))
}

// Session is the key of one signer for one signing, with its certificate.
type Session struct {
	authority *Authority
	cert      *x509.Certificate
	gate      sync.Mutex
	key       *ecdsa.PrivateKey // nil when closed
}

// ErrClosed is for a session whose key is destroyed or whose certificate has expired.
var ErrClosed = errors.New("the signer's key is destroyed, or its certificate has expired")

// Begin makes a key and its certificate, and records the certificate. The key stays in memory
// until Close.
func (a *Authority) Begin(ctx context.Context, s Subject) (*Session, error) {
	name, err := s.name()
	if err != nil {
		return nil, err
	}
	now := a.clock.Now()
	t := &x509.Certificate{
		SerialNumber: newSerial(), RawSubject: name, NotBefore: now.Add(-skew).Truncate(time.Second), NotAfter: now.Add(a.config.Validity).Truncate(time.Second),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if t.NotAfter.After(a.issuing.cert.NotAfter) {
		return nil, errors.New("the issuing authority's certificate ends: it issues no more")
	}
	a.addresses(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a signer's key: %w", err)
	}
	t.SubjectKeyId = keyID(&key.PublicKey)
	der, err := x509.CreateCertificate(rand.Reader, t, a.issuing.cert, &key.PublicKey, a.issuing.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a signer's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issuing a signer's certificate: %w", err)
	}
	if err := a.store.AddCertificate(ctx, serialText(t.SerialNumber), now, t.NotAfter); err != nil {
		return nil, err
	}
	return &Session{authority: a, cert: cert, key: key}, nil
}

// Chain is DER: the signer's certificate, the issuing authority's, the root.
func (s *Session) Chain() [][]byte {
	return [][]byte{s.cert.Raw, s.authority.issuing.cert.Raw, s.authority.root.cert.Raw}
}

// Serial is the number of the signer's certificate, for Revoke and the audit trail; NotAfter
// is when it ends.
func (s *Session) Serial() *big.Int    { return new(big.Int).Set(s.cert.SerialNumber) }
func (s *Session) NotAfter() time.Time { return s.cert.NotAfter }

// Sign signs a SHA-256 and returns the ASN.1 of r and s. ErrClosed.
func (s *Session) Sign(_ context.Context, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.key == nil || s.authority.clock.Now().After(s.cert.NotAfter) {
		return nil, ErrClosed
	}
	value, err := ecdsa.SignASN1(rand.Reader, s.key, digest)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return value, nil
}

// Timestamp returns a time-stamp token over a SHA-256.
func (s *Session) Timestamp(ctx context.Context, digest []byte) ([]byte, error) {
	return s.authority.Timestamp(ctx, digest)
}

// Validation returns what proves that the signer's and the time-stamp authority's
// certificates were valid: the whole chains with the OCSP responder's certificate, an OCSP
// answer for each of the two, and the root's list for the issuing authority. It is known
// before anything is signed.
func (s *Session) Validation(ctx context.Context) (cms.Validation, error) {
	a := s.authority
	v, err := a.validation(ctx)
	if err != nil {
		return cms.Validation{}, err
	}
	signer, err := a.about(ctx, s.cert.SerialNumber, a.clock.Now())
	if err != nil {
		return cms.Validation{}, err
	}
	v.Certificates = append([][]byte{s.cert.Raw}, v.Certificates...)
	v.OCSPs = append([][]byte{signer}, v.OCSPs...)
	return v, nil
}

// validation is the part that all signers share.
func (a *Authority) validation(ctx context.Context) (cms.Validation, error) {
	stamp, err := a.cachedFor("ocsp of the tsa", func(now time.Time) ([]byte, error) { return a.about(ctx, a.tsa.cert.SerialNumber, now) })
	if err != nil {
		return cms.Validation{}, err
	}
	root, _, err := a.CRL(ctx)
	if err != nil {
		return cms.Validation{}, err
	}
	return cms.Validation{
		Certificates: [][]byte{a.issuing.cert.Raw, a.root.cert.Raw, a.tsa.cert.Raw, a.responder.cert.Raw},
		OCSPs:        [][]byte{stamp},
		CRLs:         [][]byte{root},
	}, nil
}

// Close overwrites the private number, as far as the language lets it, and forgets the key.
// A second Close does nothing.
func (s *Session) Close() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.key != nil {
		clear(s.key.D.Bits()) //nolint:staticcheck // SA1019: reading D is deprecated, and the one way to its memory
		s.key = nil
	}
	return nil
}
