package verify

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vidimus/internal/domain/proof"
)

// evaluation returns the folder of shared evaluation data; the test is skipped where it is
// absent.
func evaluation(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VIDIMUS_EVAL_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data", "eval")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no evaluation data: set VIDIMUS_EVAL_DATA; TestPDFSigAgrees compares with files of our own")
	}
	return dir
}

// said is what pdfsig says about one signature.
type said struct {
	field              string
	valid, total, rest bool // rest: nothing about its validity
}

// pdfsig asks poppler about a file, in the order of its output.
func pdfsig(t *testing.T, data []byte) (all []said) {
	t.Helper()
	program, err := exec.LookPath("pdfsig")
	if err != nil {
		t.Skip("no pdfsig")
	}
	name := filepath.Join(t.TempDir(), "f.pdf")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.CommandContext(t.Context(), program, "-nocert", name).CombinedOutput()
	for _, line := range strings.Split(string(out), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
		if field, ok := strings.CutPrefix(line, "Signature Field Name: "); ok {
			all = append(all, said{field: field, rest: true})
			continue
		}
		if len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		switch {
		case strings.Contains(line, "form field is not signed"):
			all = all[:len(all)-1]
		case line == "Total document signed":
			last.total = true
		case line == "Signature Validation: Signature is Valid.":
			last.valid, last.rest = true, false
		case strings.HasPrefix(line, "Signature Validation: ") && !strings.Contains(line, "not yet been verified"):
			last.rest = false
		}
	}
	return all
}

// agrees compares a report with what pdfsig says. It looks at digests and values only, and at
// no time-stamps.
func agrees(t *testing.T, r proof.Report, all []said) {
	t.Helper()
	if len(all) != len(r.Signatures) {
		t.Errorf("pdfsig knows %d signatures, we %d", len(all), len(r.Signatures))
	}
	for _, want := range all {
		for _, got := range r.Signatures {
			if got.Field != want.field {
				continue
			}
			if !want.rest && got.Intact() != want.valid {
				t.Errorf("%s: intact %t (%q), pdfsig: valid %t", got.Field, got.Intact(), got.Broken, want.valid)
			}
			if got.Coverage.Whole() != want.total {
				t.Errorf("%s: covers %+v, pdfsig: total %t", got.Field, got.Coverage, want.total)
			}
		}
	}
}

// TestPDFSigAgrees asks poppler about the files that these tests make.
func TestPDFSigAgrees(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "first", stamped: noon})
	once := p.clone()
	p.store(nil, [][]byte{w.list(nil)})
	stored := p.clone()
	p.sign(w, signing{by: w.signer, field: "second"})
	p.sign(w, signing{by: w.tsa, field: "stamp", token: true, stamped: noon})
	bad := once.clone()
	bad.data[11] ^= 1
	for name, data := range map[string][]byte{"once": once.data, "stored": stored.data, "twice": p.data, "changed": bad.data} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			all := pdfsig(t, data)
			if len(all) == 0 {
				t.Fatal("pdfsig says nothing")
			}
			agrees(t, w.judged(data), all)
		})
	}
}

// TestEvaluationPDFsAreJudgedAsOthersDo shows the validator files that were made to be
// difficult: it says nothing about those without signatures, and what pdfsig says of others.
func TestEvaluationPDFsAreJudgedAsOthersDo(t *testing.T) {
	dir := evaluation(t)
	// What the EU's DSS and pyHanko say about the level, and whether the document was changed.
	levels := map[string]string{
		"dss_doc-firmado.pdf/Signature1":                   "B-T",
		"pyh_certified-with-indirect-refs-in-dir.pdf/Sig1": "",
		"pyh_minimal-two-fields-signed-twice.pdf/Sig1":     "",
		"pyh_minimal-two-fields-signed-twice.pdf/Sig2":     "",
	}
	text, err := os.ReadFile(filepath.Join(dir, "labels", "pdf.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	signed := 0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var label struct{ File string }
		if err := json.Unmarshal([]byte(line), &label); err != nil {
			t.Fatal(err)
		}
		t.Run(label.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "pdf", label.File))
			if err != nil {
				t.Fatal(err)
			}
			r, err := File(context.Background(), data, Options{Now: noon})
			switch {
			case errors.Is(err, ErrUnsigned), errors.Is(err, ErrEncrypted), errors.Is(err, ErrNoPDF), errors.Is(err, errSyntax):
				if all := pdfsig(t, data); len(all) > 0 && !errors.Is(err, ErrEncrypted) {
					t.Errorf("%v, but pdfsig knows %d signatures", err, len(all))
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			signed++
			agrees(t, r, pdfsig(t, data))
			for _, s := range r.Signatures {
				if s.Verdict != proof.Unknown || !s.Intact() {
					t.Errorf("%s: %s, want %s, as nobody is trusted: %q", s.Field, s.Verdict, proof.Unknown, s.Because)
				}
				if want, ok := levels[label.File+"/"+s.Field]; ok && s.Level != want {
					t.Errorf("%s: level %q, want %q: %q", s.Field, s.Level, want, s.Lacks)
				}
			}
		})
	}
	if signed != 3 {
		t.Errorf("%d files were judged, 3 are signed", signed)
	}
}
