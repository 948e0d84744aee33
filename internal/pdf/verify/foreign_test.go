package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vidimus/internal/domain/proof"
)

// TestUnreadableObjectsStayUnreadable asks twice: an error must not turn into nothing.
func TestUnreadableObjectsStayUnreadable(t *testing.T) {
	p := newPDF(t)
	p.revise(map[int]string{objFree: "<< /Broken"})
	d, err := open(p.data, newBudget(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if v, err := d.get(ref{num: objFree}); !errors.Is(err, errSyntax) {
			t.Errorf("asked %d times: %v, %v", n+1, v, err)
		}
	}
}

// TestWhatReadsOverTheSignedEnd prepares a document before it is signed, so that one of its
// objects is read from bytes that are appended behind: no entry of a cross-reference changes.
func TestWhatReadsOverTheSignedEnd(t *testing.T) {
	const far = 40_000
	body := "0 0 100 100 re f"
	evil := "\n1 0 0 rg 0 0 595 842 re f\n"
	long := fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", far, body)
	entry := func(num, at int) func(p *pdf) {
		return func(p *pdf) {
			i := bytes.LastIndex(p.data, fmt.Appendf(nil, "\n%d 1\n", num))
			copy(p.data[i+len(fmt.Sprintf("\n%d 1\n", num)):], fmt.Sprintf("%010d", at))
		}
	}
	missing := func(p *pdf) {
		p.revise(map[int]string{objPage: p.replaced(objPage, "/Contents 4 0 R", "/Contents [4 0 R 80 0 R]"), 80: "null"})
		entry(80, far)(p)
	}
	over := func(end string) func(p *pdf) {
		return func(p *pdf) {
			at := bytes.LastIndex(p.data, []byte("stream\n"+body)) + len("stream\n") + far
			p.data = fmt.Appendf(p.data, "%s%s%s endobj\n", strings.Repeat(" ", at-len(p.data)-len(evil)), evil, end)
		}
	}
	for name, c := range map[string]struct{ prepare, forge func(p *pdf) }{
		"a length": {func(p *pdf) { p.revise(map[int]string{objContents: long}) }, over("\nendstream")},
		"a length that only some readers believe": {func(p *pdf) { p.revise(map[int]string{objContents: long}) }, over("")},
		"a length elsewhere": {func(p *pdf) {
			p.revise(map[int]string{objContents: strings.Replace(long, fmt.Sprint(far), "70 0 R", 1), 70: fmt.Sprint(far)})
		}, over("\nendstream")},
		"an entry": {missing, func(p *pdf) {
			p.data = fmt.Appendf(p.data, "%s80 0 obj\n%s\nendobj\n", strings.Repeat(" ", far-len(p.data)), content(evil))
		}},
		"an entry that only some readers mend": {missing, func(p *pdf) {
			p.data = fmt.Appendf(p.data, "%sx 80 0 obj\n%s\nendobj\n", strings.Repeat(" ", far-len(p.data)), content(evil))
		}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w := newWorld(t)
			p := newPDF(t)
			c.prepare(p)
			p.sign(w, signing{by: w.signer, field: "s"})
			c.forge(p)
			p.revise(map[int]string{})
			s := w.judged(p.data).Signatures[0]
			if s.Verdict != proof.Invalid || !slices.ContainsFunc(s.Changes, func(c proof.Change) bool { return c.Difference == proof.Other && strings.Contains(c.What, "Contents") }) {
				t.Errorf("%s: %+v", s.Verdict, s.Changes)
			}
		})
	}
}

// TestWhatIsBrokenMayStay has faults that no appended byte can change.
func TestWhatIsBrokenMayStay(t *testing.T) {
	for name, broken := range map[string]string{
		"no object":    ")",
		"wrong length": "<< /Length 3 >>\nstream\n0 0 100 100 re f\nendstream",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w := newWorld(t)
			p := newPDF(t)
			p.revise(map[int]string{objPage: p.replaced(objPage, "/Contents", "/Missing 90 0 R /Contents"), objFree: broken})
			p.sign(w, signing{by: w.signer, field: "s"})
			p.store(nil, [][]byte{w.list(nil)})
			w.wants(w.judged(p.data), "", proof.Valid)
		})
	}
}

// overflows are files with numbers that no sum may be made of.
func overflows() map[string][]byte {
	const most = "9223372036854775807"
	streams := withStreams()
	return map[string][]byte{
		"startxref":       []byte("x%PDF-1.7\nstartxref\n" + most + "\n%%EOF\n"),
		"section before":  []byte("x%PDF-1.7\nxref\n0 0\ntrailer\n<< /Prev " + most + " >>\nstartxref\n9\n%%EOF\n"),
		"section beside":  []byte("x%PDF-1.7\nxref\n0 0\ntrailer\n<< /XRefStm " + most + " >>\nstartxref\n9\n%%EOF\n"),
		"entry":           []byte("x%PDF-1.7\nxref\n1 1\n" + most + " 00000 n\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"),
		"number":          []byte("x%PDF-1.7\nxref\n" + most + " 2\n0 0 n\n0 0 n\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n"),
		"row":             bytes.Replace(streams, []byte("/W [1 2 1]"), []byte("/W [0 8 0]"), 1),
		"offset in a row": bytes.Replace(streams, []byte("1 0 2 "), []byte("1 "+most+" 2 "), 1),
	}
}

func TestNumbersDoNotOverflow(t *testing.T) {
	for name, data := range overflows() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if _, err := File(t.Context(), data, Options{Now: noon}); !errors.Is(err, errSyntax) {
				t.Errorf("%v", err)
			}
		})
	}
}
