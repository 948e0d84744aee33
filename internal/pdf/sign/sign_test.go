package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/pdf/sign"
)

// authority is a certificate authority, time-stamp authority and signer of the tests.
type authority struct {
	root, signer, stamper *x509.Certificate
	rootKey, key, tsaKey  *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certify(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{rootKey: newKey(t), key: newKey(t), tsaKey: newKey(t)}
	a.root = certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Root of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, nil, a.rootKey.Public(), a.rootKey)
	a.signer = certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Erika Muster"}, KeyUsage: x509.KeyUsageContentCommitment | x509.KeyUsageDigitalSignature}, a.root, a.key.Public(), a.rootKey)
	stamping, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	a.stamper = certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Time-stamps of a test"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: stamping}},
	}, a.root, a.tsaKey.Public(), a.rootKey)
	return a
}

func (a *authority) Chain() [][]byte { return [][]byte{a.signer.Raw, a.root.Raw} }

func (a *authority) Sign(_ context.Context, digest []byte) ([]byte, error) {
	return ecdsa.SignASN1(rand.Reader, a.key, digest)
}

func (a *authority) Timestamp(_ context.Context, digest []byte) ([]byte, error) {
	return a.token(digest, [][]byte{a.stamper.Raw, a.root.Raw})
}

func (a *authority) token(digest []byte, chain [][]byte) ([]byte, error) {
	d, err := cms.PrepareToken(cms.TSTInfo{
		Policy: "1.2.3.4", Hash: crypto.SHA256, Imprint: digest, Serial: big.NewInt(time.Now().UnixNano()), Time: time.Now().UTC().Truncate(time.Millisecond), Accuracy: time.Second,
	}, chain[:2], chain)
	if err != nil {
		return nil, err
	}
	value, err := ecdsa.SignASN1(rand.Reader, a.tsaKey, d.Digest())
	if err != nil {
		return nil, err
	}
	return d.Finish(value, nil)
}

func (a *authority) Validation(context.Context) (sign.Validation, error) {
	v := sign.Validation{Certificates: [][]byte{a.signer.Raw, a.stamper.Raw, a.root.Raw}}
	for _, c := range []*x509.Certificate{a.signer, a.stamper} {
		der, err := ocsp.CreateResponse(a.root, a.root, ocsp.Response{Status: ocsp.Good, SerialNumber: c.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}, a.rootKey)
		if err != nil {
			return v, err
		}
		v.OCSPs = append(v.OCSPs, der)
	}
	return v, nil
}

// box is an appearance: a frame.
type box struct{ w, h float64 }

func (b box) Add(_ int, add func(string, []byte) int) int {
	content := []byte("1 0 0 RG 1 1 198 33 re S")
	return add("/Type/XObject/Subtype/Form/BBox[0 0 200 35]/Resources<<>>/Length "+itoa(len(content)), content)
}

func itoa(n int) string { return big.NewInt(int64(n)).String() }

func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip("no " + program)
	}
	return path
}

// judged shows a file to pdfsig and to qpdf, and returns what pdfsig says. qpdf may warn of it
// where it warns of the original too; nil: there is none.
func judged(t *testing.T, content, original []byte) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "signed.pdf")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(need(t, "pdfsig"), "-nocert", name).CombinedOutput()
	if err != nil {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
	checked, err := exec.Command(need(t, "qpdf"), "--check", name).CombinedOutput()
	if err != nil && !(warned(err) && original != nil && warned(qpdf(t, original))) {
		t.Errorf("qpdf: %v\n%s", err, checked)
	}
	return string(out)
}

// qpdf is what qpdf --check ends with.
func qpdf(t *testing.T, content []byte) error {
	t.Helper()
	name := filepath.Join(t.TempDir(), "original.pdf")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command(need(t, "qpdf"), "--check", name).Run()
}

// warned says whether qpdf warned and found no errors.
func warned(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 3
}

const evaluation = "../../../../shared/data/eval"

var levels = map[string]sign.Level{"B-B": sign.BB, "B-T": sign.BT, "B-LT": sign.BLT, "B-LTA": sign.BLTA}

func request(level sign.Level, places ...sign.Place) sign.Request {
	return sign.Request{Level: level, Time: time.Now(), Name: "Erika Müster", Reason: "Contract", Tool: "Vidimus", Places: places}
}

// valid fails unless pdfsig finds so many valid signatures.
func valid(t *testing.T, said string, want int) {
	t.Helper()
	if got := strings.Count(said, "Signature is Valid."); got != want {
		t.Errorf("%d valid signatures, not %d:\n%s", got, want, said)
	}
}

func TestOneAndTwoSignaturesAreValidAtEveryLevel(t *testing.T) {
	a := newAuthority(t)
	place := sign.Place{Spot: esign.Spot{Signature: "s", Page: 1, X: 50, Y: 50, W: 200, H: 35}, Appearance: box{200, 35}}
	for name, level := range levels {
		t.Run(name, func(t *testing.T) {
			first, err := sign.Sign(t.Context(), pdfOf(1000), request(level, place), a)
			if err != nil {
				t.Fatal(err)
			}
			said := judged(t, first, nil)
			valid(t, said, 1) // pdfsig verifies no document time-stamps
			if whole := strings.Contains(said, "Total document signed"); whole == (level == sign.BLT) {
				t.Errorf("total document signed: %v\n%s", whole, said)
			}
			second, err := sign.Sign(t.Context(), first, request(level, place), a)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(second, first) {
				t.Error("the second signature changed what was there")
			}
			valid(t, judged(t, second, nil), 2)
		})
	}
}

// TestEvaluationFilesAreSignedOrRefused signs every real file that is labelled to be signed.
func TestEvaluationFilesAreSignedOrRefused(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(evaluation, "labels", "pdf.jsonl"))
	if err != nil {
		t.Skip("the evaluation data are not here")
	}
	a := newAuthority(t)
	for line := range strings.Lines(string(list)) {
		var l struct{ File, Expect string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		t.Run(l.File, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(evaluation, "pdf", l.File))
			if err != nil {
				t.Fatal(err)
			}
			out, err := sign.Sign(t.Context(), content, request(sign.BLTA), a)
			switch {
			case l.Expect == "encrypted" || l.Expect == "reject":
				if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "encrypted") != (l.Expect == "encrypted") {
					t.Errorf("%s: %v", l.Expect, err)
				}
				return
			case fault.Is(err, fault.Invalid) && strings.Contains(err.Error(), "certified"):
				return
			case err != nil:
				t.Fatal(err)
			}
			if !bytes.HasPrefix(out, content) {
				t.Error("bytes that were there have changed")
			}
			said := judged(t, out, content)
			if n := strings.Count(said, "Signature is Valid."); n < 1 || !strings.Contains(said, "Total document signed") {
				t.Errorf("%d valid signatures\n%s", n, said)
			}
		})
	}
}
