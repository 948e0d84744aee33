package recipient

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"vidimus/internal/domain/fault"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ecKey(t *testing.T, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var key2048 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func usual(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := key2048()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// plain is a certificate that people make for themselves.
func plain(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
}

// self makes a self-signed certificate.
func self(t *testing.T, key crypto.Signer, c *x509.Certificate) []byte {
	t.Helper()
	return issued(t, key, c, key, c)
}

func issued(t *testing.T, by crypto.Signer, issuer *x509.Certificate, key crypto.Signer, c *x509.Certificate) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// pssKey rewrites the algorithm of the key in a certificate to RSASSA-PSS.
func pssKey(t *testing.T, der []byte) []byte {
	t.Helper()
	usual, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	pss, err := asn1.Marshal(rsaPSS)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Replace(string(der), string(usual), string(pss), 1))
}

func TestCertificateIsRefusedWithItsReason(t *testing.T) {
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(c *x509.Certificate)) *x509.Certificate {
		c := plain("recipient")
		f(c)
		return c
	}
	for name, c := range map[string]struct {
		der  []byte
		want string // part of the reason; empty: it is good
	}{
		"rsa":                 {self(t, usual(t), plain("x")), ""},
		"rsa, pss signature":  {self(t, usual(t), change(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSAPSS })), ""},
		"no usage at all":     {self(t, usual(t), change(func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = 0, nil })), ""},
		"any purpose":         {self(t, usual(t), change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} })), ""},
		"ec, key agreement":   {self(t, ecKey(t, elliptic.P256()), change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })), ""},
		"ec, encipherment":    {self(t, ecKey(t, elliptic.P384()), plain("x")), ""},
		"ec, largest":         {self(t, ecKey(t, elliptic.P521()), plain("x")), ""},
		"expired":             {self(t, usual(t), change(func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) })), "has expired: it was good until 2026-11-25 11:59 UTC"},
		"not yet valid":       {self(t, usual(t), change(func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Second) })), "not yet valid"},
		"rsa, signs only":     {self(t, usual(t), change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })), "lacks keyEncipherment"},
		"rsa, agreement only": {self(t, usual(t), change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })), "lacks keyEncipherment"},
		"ec, signs only":      {self(t, ecKey(t, elliptic.P256()), change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })), "lacks keyAgreement"},
		"authority":           {self(t, usual(t), change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign })), "lacks keyEncipherment"},
		"web server":          {self(t, usual(t), change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), "lacks emailProtection"},
		"unknown purpose": {self(t, usual(t), change(func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
		})), "lacks emailProtection"},
		"short rsa":   {self(t, rsaKey(t, 1024), plain("x")), "RSA key of 1024 bits"},
		"small curve": {self(t, ecKey(t, elliptic.P224()), plain("x")), "curve other than"},
		"ed25519":     {self(t, signer, plain("x")), "Ed25519"},
		"pss key":     {pssKey(t, self(t, usual(t), plain("x"))), "RSASSA-PSS"},
		"damaged":     {self(t, usual(t), plain("x"))[:400], "no X.509 certificate"},
	} {
		t.Run(strings.NewReplacer(" ", "_", ",", "").Replace(name), func(t *testing.T) {
			got, err := Choose([][]byte{c.der}, noon)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && string(got.Raw) != string(c.der):
				t.Error("another one was chosen")
			case c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.All(err)[0].Message, c.want)):
				t.Errorf("the reason is %v", err)
			}
		})
	}
}

// The standard library signs nothing with SHA-1 any more, so only the rule is tried.
func TestForgeableSignatureIsRefused(t *testing.T) {
	c, err := x509.ParseCertificate(self(t, usual(t), plain("x")))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []x509.SignatureAlgorithm{x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1} {
		c.SignatureAlgorithm = a
		if err := Check(c, noon); err == nil || !strings.Contains(err.Error(), "forged") {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func TestTheLeafIsChosenWhereverItStands(t *testing.T) {
	root := plain("root")
	rootKey := usual(t)
	rootDER := self(t, rootKey, root)
	leafKey := ecKey(t, elliptic.P256())
	leaf := plain("leaf")
	leaf.IsCA = false
	leafDER := issued(t, rootKey, root, leafKey, leaf)
	signing := plain("leaf")
	signing.KeyUsage = x509.KeyUsageDigitalSignature
	signingDER := issued(t, rootKey, root, ecKey(t, elliptic.P256()), signing)
	newer := plain("leaf")
	newer.NotAfter = noon.Add(48 * time.Hour)
	newerDER := issued(t, rootKey, root, leafKey, newer)
	otherDER := issued(t, rootKey, root, ecKey(t, elliptic.P256()), plain("other"))
	for name, c := range map[string]struct {
		der  [][]byte
		want []byte // nil: refused
		why  string
	}{
		"authority first": {[][]byte{rootDER, leafDER}, leafDER, ""},
		"leaf first":      {[][]byte{leafDER, rootDER}, leafDER, ""},
		"twice":           {[][]byte{leafDER, leafDER}, leafDER, ""},
		"beside signing":  {[][]byte{signingDER, leafDER, rootDER}, leafDER, ""},
		"renewed":         {[][]byte{leafDER, newerDER}, newerDER, ""},
		"two people":      {[][]byte{leafDER, otherDER, rootDER}, nil, "several"},
		"signing only":    {[][]byte{signingDER, rootDER}, nil, "lacks keyAgreement"},
		"none":            {nil, nil, "no certificate"},
	} {
		got, err := Choose(c.der, noon)
		switch {
		case c.want == nil && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s: %v", name, err)
		case c.want != nil && (err != nil || string(got.Raw) != string(c.want)):
			t.Errorf("%s: another one was chosen, %v", name, err)
		}
	}
}

func FuzzChoose(f *testing.F) {
	key, err := key2048()
	if err != nil {
		f.Fatal(err)
	}
	c := plain("x")
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der, der)
	f.Add(der[:100], []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		got, err := Choose([][]byte{a, b}, noon)
		if err == nil && Check(got, noon) != nil {
			t.Error("one was chosen that is not good")
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}
