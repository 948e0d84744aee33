package verify

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/proof"
)

// sha1Message signs data by OpenSSL, as nothing of ours signs with SHA-1.
func sha1Message(t *testing.T, by party, data []byte) []byte {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	key, err := x509.MarshalPKCS8PrivateKey(by.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), "cert": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.cert.Raw}), "data": data,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), program, "cms", "-sign", "-binary", "-md", "sha1", "-outform", "DER", "-in", "data", "-signer", "cert", "-inkey", "key")
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSHA1 has a signature with SHA-1, which counts only if it is known to be old.
func TestSHA1(t *testing.T) {
	w := newWorld(t)
	old := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.AddDate(-15, 0, 0), noon.AddDate(15, 0, 0) }
	w.root = w.issue("Root", party{}, func(c *x509.Certificate) {
		old(c)
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
	})
	w.signer = w.issue("Signer", w.root, old)
	w.tsa = w.issue("Stamper", w.root, func(c *x509.Certificate) {
		old(c)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
	})
	for name, c := range map[string]struct {
		stamped time.Time
		verdict proof.Verdict
		because string
	}{
		"no time":     {time.Time{}, proof.Unknown, "SHA-1"},
		"in time":     {sha1Ends.Add(-time.Second), proof.Valid, ""},
		"out of time": {sha1Ends, proof.Unknown, "SHA-1"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w.t = t
			p := newPDF(t)
			p.sign(w, signing{field: "s", message: func(data []byte) []byte { return sha1Message(t, w.signer, data) }})
			verdicts := []proof.Verdict{c.verdict}
			if !c.stamped.IsZero() {
				p.sign(w, signing{by: w.tsa, field: "stamp", token: true, stamped: c.stamped})
				verdicts = append(verdicts, proof.Valid)
			}
			r := w.judged(p.data)
			w.wants(r, c.because, verdicts...)
			if s := r.Signatures[0]; !s.Intact() || s.Hash != "SHA-1" {
				t.Errorf("%s: %q", s.Hash, s.Broken)
			}
		})
	}
}
