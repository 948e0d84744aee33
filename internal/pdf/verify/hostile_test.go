package verify

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// TestManyIssuersEnd has a file that brings hundreds of certificates, each of which could be
// that of the issuer of each of its signers by its name.
func TestManyIssuersEnd(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	objects, refs := map[int]string{}, ""
	for range maxMaterial {
		objects[p.size] = content(string(w.issue("Stranger", party{}, nil).cert.Raw))
		refs += fmt.Sprintf("%d 0 R ", p.size)
		p.size++
	}
	objects[objRoot] = p.replaced(objRoot, "/AcroForm", "/DSS << /Certs ["+refs+"] >> /AcroForm")
	p.revise(objects)
	by := w.issue("Signer", w.issue("Stranger", party{}, nil), nil)
	for n := range 60 {
		p.sign(w, signing{by: by, field: fmt.Sprint(n)})
	}
	began := time.Now()
	_, err := File(t.Context(), p.data, Options{Roots: []*x509.Certificate{w.root.cert}, Now: noon})
	if !errors.Is(err, errMuch) {
		t.Errorf("%v, want %v", err, errMuch)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestNothingIsCheckedWhenTheTimeIsOver ends the context between reading and weighing.
func TestNothingIsCheckedWhenTheTimeIsOver(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := material{roots: x509.NewCertPool(), between: x509.NewCertPool(), anchors: []*x509.Certificate{w.root.cert}, now: noon, budget: newBudget(ctx)}
	m.roots.AddCert(w.root.cert)
	if p := m.judge(w.signer.cert, noon, x509.ExtKeyUsageAny); p.trouble == nil || !errors.Is(m.over, context.Canceled) {
		t.Errorf("%v, %v", p.trouble, m.over)
	}
}

// TestKeysThatTakeTooLong has a certificate with an RSA key of 100,000 bits.
func TestKeysThatTakeTooLong(t *testing.T) {
	w := newWorld(t)
	n := new(big.Int).Lsh(big.NewInt(1), 100_000)
	c := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: noon, NotAfter: noon.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, w.root.cert, &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}, w.root.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	m := material{roots: x509.NewCertPool(), between: x509.NewCertPool(), now: noon, budget: newBudget(t.Context())}
	if m.addParsed(cert); len(m.certs) != 0 {
		t.Error("it may have issued others")
	}
	if p := m.judge(cert, noon, x509.ExtKeyUsageAny); p.trouble == nil || !strings.Contains(p.trouble.Error(), "too long") {
		t.Errorf("%v", p.trouble)
	}
}
