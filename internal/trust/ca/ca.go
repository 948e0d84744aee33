// Package ca is the built-in trust service of chapter 7: a root, an issuing authority that
// gives each signer an own key with a short-lived certificate, a time-stamp authority
// (RFC 3161), OCSP answers (RFC 6960) and CRLs. It is NOT a qualified trust service, and its
// certificates say so: whoever needs one connects it by package csc.
//
// The root and what stands below it are made at the first start and sealed in the database,
// so that all nodes share them. Keys of signers are never stored.
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
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
	"vidimus/internal/service/serverkey"
)

// Store keeps the authorities' keys, sealed, and which certificates were issued: numbers and
// times, nothing about a person. Serials are lower case hex.
type Store interface {
	serverkey.Store
	// AddCertificate records one, in a transaction of its own; one that is there stays.
	AddCertificate(ctx context.Context, serial string, issued, expires time.Time) error
	// CertificateStatus returns when and why one was revoked, a zero time when it was not;
	// fault.NotFound when none was issued.
	CertificateStatus(ctx context.Context, serial string) (revoked time.Time, reason int, err error)
	// RevokeCertificate revokes one, in the transaction of ctx; false: it was revoked before,
	// and the first time and reason stay. fault.NotFound.
	RevokeCertificate(ctx context.Context, serial string, at time.Time, reason int) (bool, error)
	// RevokedCertificates returns up to most of them.
	RevokedCertificates(ctx context.Context, most int) ([]x509.RevocationListEntry, error)
	// Audit writes an entry of the trail, in the transaction of ctx.
	Audit(ctx context.Context, e audit.Entry) error
}

// Config are the settings of the built-in trust service.
type Config struct {
	// Validity is how long a signer's certificate may be used. Default 10m; from 1m to 24h.
	Validity time.Duration `yaml:"validity"`
	// TimestampPolicy is the object identifier of the policy that time-stamps name. The default
	// is one of our own.
	TimestampPolicy string `yaml:"timestamp_policy"`
}

// defaultPolicy was made from a random UUID (ITU-T X.667): it means "Vidimus' own clock".
const defaultPolicy = "2.25.144005473392585131657545662020435576070"

func (c Config) withDefaults() Config {
	if c.Validity == 0 {
		c.Validity = 10 * time.Minute
	}
	if c.TimestampPolicy == "" {
		c.TimestampPolicy = defaultPolicy
	}
	return c
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	c = c.withDefaults()
	if c.Validity < time.Minute || c.Validity > 24*time.Hour {
		return errors.New("validity must be from 1m to 24h")
	}
	if _, err := x509.ParseOID(c.TimestampPolicy); err != nil {
		return errors.New("timestamp_policy must be an object identifier such as 1.3.6.1.4.1.99999.1")
	}
	return nil
}

// Authority is the trust service. It may be used from many goroutines.
type Authority struct {
	store  Store
	clock  clock.Clock
	config Config
	base   string // of its URLs

	root, issuing, tsa, responder *identity

	gate  sync.Mutex
	cache map[string]cached
}

// identity is a key that lasts, with its certificate.
type identity struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

const (
	purpose  = "certificate authority key"
	lifetime = 20 // years of the root, and of all that stands directly below it
	skew     = time.Minute
)

// The names of what lasts, in the store.
const (
	rootKey      = "trust_root"
	issuingKey   = "trust_issuing"
	tsaKey       = "trust_tsa"
	responderKey = "trust_ocsp"
)

// Lasting is how many certificates last.
const Lasting = 4

// Standing returns the certificates that last, as the store has them, without their keys: the
// root's, the issuing and the time-stamp authority's, the OCSP responder's. It makes none;
// before the first start there is none, or not all. That each is signed by the one above it is
// checked, whether it is the one that was made is not: Open does that.
func Standing(ctx context.Context, store serverkey.Store) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for n, name := range []string{rootKey, issuingKey, tsaKey, responderKey} {
		_, public, err := store.ServerKey(ctx, name)
		if fault.Is(err, fault.NotFound) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode([]byte(public))
		if block == nil {
			return nil, errors.New("the certificate of " + name + " cannot be read")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate of %s: %w", name, err)
		}
		all = append(all, cert)
		if parent := all[min(max(n-1, 0), 1)]; cert.CheckSignatureFrom(parent) != nil {
			return nil, errors.New("the certificate of " + name + " is not signed by the authority above it")
		}
	}
	return all, nil
}

// Open loads the authorities, and makes those that are missing. Base is the URL below which
// Published, OCSP and TimestampResponse are served, such as
// https://ident.example.com/assets/certs; it is written into the certificates.
func Open(ctx context.Context, store Store, master account.Master, c clock.Clock, base string, config Config) (*Authority, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	a := &Authority{store: store, clock: c, config: config.withDefaults(), base: strings.TrimSuffix(base, "/"), cache: map[string]cached{}}
	for _, one := range []struct {
		to       **identity
		name     string
		curve    elliptic.Curve
		template func() (*x509.Certificate, *identity)
	}{
		{&a.root, rootKey, elliptic.P384(), a.rootTemplate},
		{&a.issuing, issuingKey, elliptic.P256(), a.issuingTemplate},
		{&a.tsa, tsaKey, elliptic.P256(), a.tsaTemplate},
		{&a.responder, responderKey, elliptic.P256(), a.responderTemplate},
	} {
		secret := serverkey.Secret{Name: one.name, Purpose: purpose, Make: func() ([]byte, string, error) {
			template, parent := one.template()
			return generate(template, parent, one.curve)
		}}
		private, public, err := secret.Load(ctx, store, master, c)
		if err != nil {
			return nil, err
		}
		_, parent := one.template()
		if *one.to, err = read(one.name, private, public, parent); err != nil {
			return nil, err
		}
		cert := (*one.to).cert
		if err := store.AddCertificate(ctx, serialText(cert.SerialNumber), cert.NotBefore, cert.NotAfter); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// generate makes a key and its certificate, which the parent signs; nil: the key itself.
func generate(template *x509.Certificate, parent *identity, curve elliptic.Curve) (private []byte, public string, err error) {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return nil, "", err
	}
	if parent == nil {
		parent = &identity{key: key, cert: template}
	}
	template.SubjectKeyId = keyID(&key.PublicKey)
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, &key.PublicKey, parent.key)
	if err != nil {
		return nil, "", err
	}
	private, err = x509.MarshalPKCS8PrivateKey(key)
	return private, string(pemOf(der)), err
}

// read returns an identity. The certificate stands where whoever can write to the database
// can replace it, so that it must be of this key, and signed by the parent's.
func read(name string, private []byte, public string, parent *identity) (*identity, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, errors.New("the key " + name + " cannot be read")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	block, _ := pem.Decode([]byte(public))
	if !ok || block == nil {
		return nil, errors.New("the key " + name + " or its certificate cannot be read")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of %s: %w", name, err)
	}
	one := &identity{key: key, cert: cert}
	if parent == nil {
		parent = one
	}
	if !key.PublicKey.Equal(cert.PublicKey) || cert.CheckSignatureFrom(parent.cert) != nil {
		return nil, errors.New("the certificate of " + name + " is not the one that was made for it")
	}
	return one, nil
}

func (a *Authority) template(cn string, issuer *identity) *x509.Certificate {
	now := a.clock.Now()
	t := &x509.Certificate{
		SerialNumber: newSerial(), NotBefore: now.Add(-skew).Truncate(time.Second), NotAfter: now.AddDate(lifetime, 0, 0).Truncate(time.Second),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	installation := randomText()
	if issuer != nil {
		name := issuer.cert.Subject.CommonName
		installation = name[strings.LastIndexByte(name, ' ')+1:]
		if t.NotAfter.After(issuer.cert.NotAfter) {
			t.NotAfter = issuer.cert.NotAfter
		}
	}
	t.Subject = pkix.Name{Organization: []string{"Vidimus (not a qualified trust service)"}, CommonName: cn + " (not qualified) " + installation}
	return t
}

func (a *Authority) rootTemplate() (*x509.Certificate, *identity) {
	t := a.template("Vidimus Root CA", nil)
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	return t, nil
}

func (a *Authority) issuingTemplate() (*x509.Certificate, *identity) {
	t := a.template("Vidimus Issuing CA", a.root)
	t.IsCA, t.MaxPathLenZero, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	t.CRLDistributionPoints, t.IssuingCertificateURL = []string{a.base + "/" + rootCRL}, []string{a.base + "/" + rootCert}
	return t, a.root
}

// tsaTemplate has the one purpose that RFC 3161, 2.3, asks for, critical.
func (a *Authority) tsaTemplate() (*x509.Certificate, *identity) {
	t := a.template("Vidimus Time-Stamp Authority", a.issuing)
	t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08")}}
	a.addresses(t)
	return t, a.issuing
}

// responderTemplate says by id-pkix-ocsp-nocheck that nobody is to ask about it.
func (a *Authority) responderTemplate() (*x509.Certificate, *identity) {
	t := a.template("Vidimus OCSP Responder", a.issuing)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}}
	t.IssuingCertificateURL = []string{a.base + "/" + issuingCert}
	return t, a.issuing
}

// addresses says where to ask about a certificate of the issuing authority.
func (a *Authority) addresses(t *x509.Certificate) {
	t.CRLDistributionPoints, t.IssuingCertificateURL, t.OCSPServer = []string{a.base + "/" + issuingCRL}, []string{a.base + "/" + issuingCert}, []string{a.base + "/ocsp"}
}

// newSerial draws a number of 128 bits; of two nodes none draws the other's.
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)            // never fails
	b[0] = b[0]&0x7f | 0x40 // positive, and never short
	return new(big.Int).SetBytes(b)
}

func randomText() string {
	b := make([]byte, 4)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func serialText(n *big.Int) string { return hex.EncodeToString(n.Bytes()) }

// keyID is a key identifier as RFC 7093, 2, method 1, makes it.
func keyID(key *ecdsa.PublicKey) []byte {
	b, err := key.Bytes()
	if err != nil { // of our own keys none is off its curve
		panic(err)
	}
	sum := sha256.Sum256(b)
	return sum[:20]
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
