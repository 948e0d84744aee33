package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/proof"
)

// judged judges a file at noon, by the world's root.
func (w *world) judged(data []byte) proof.Report {
	w.t.Helper()
	return w.judgedAt(data, noon)
}

func (w *world) judgedAt(data []byte, now time.Time) proof.Report {
	w.t.Helper()
	r, err := File(context.Background(), data, Options{Roots: []*x509.Certificate{w.root.cert}, Now: now})
	if err != nil {
		w.t.Fatalf("judging: %v", err)
	}
	return r
}

// wants checks the verdicts, and that a reason of the first holds some words.
func (w *world) wants(r proof.Report, because string, verdicts ...proof.Verdict) {
	w.t.Helper()
	if len(r.Signatures) != len(verdicts) {
		w.t.Fatalf("%d signatures, want %d", len(r.Signatures), len(verdicts))
	}
	for i, want := range verdicts {
		if got := r.Signatures[i]; got.Verdict != want {
			w.t.Errorf("signature %d is %s, want %s: %q", i+1, got.Verdict, want, got.Because)
		}
	}
	if because != "" && !strings.Contains(strings.Join(r.Signatures[0].Because, "\n"), because) {
		w.t.Errorf("because %q, want %q", r.Signatures[0].Because, because)
	}
}

func TestLevels(t *testing.T) {
	w := newWorld(t)
	answers := [][]byte{w.says(w.signer, w.responder, nil), w.says(w.tsa, w.root, nil)}
	stamp := signing{by: w.tsa, field: "stamp", token: true, stamped: noon.Add(2 * time.Second)}
	var expired = noon.AddDate(1, 0, 0) // the signer's certificate is no longer valid, the authority's is
	for _, c := range []struct {
		name    string
		level   string
		make    func(p *pdf)
		later   proof.Verdict // when the signer's certificate has expired
		decades proof.Verdict // when all but the root have
	}{
		{"B-B", "B-B", func(p *pdf) { p.sign(w, signing{by: w.signer, field: "s"}) }, proof.Unknown, proof.Unknown},
		{"B-T", "B-T", func(p *pdf) { p.sign(w, signing{by: w.signer, field: "s", stamped: noon}) }, proof.Valid, proof.Unknown},
		{"B-LT", "B-LT", func(p *pdf) {
			p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
			p.store(answers, nil)
		}, proof.Valid, proof.Unknown},
		{"B-LT in one revision", "B-LT", func(p *pdf) {
			p.objects[20], p.objects[21] = content(string(answers[0])), content(string(answers[1]))
			p.size = 22
			p.sign(w, signing{by: w.signer, field: "s", stamped: noon, also: map[int]string{
				20: p.objects[20], 21: p.objects[21], objRoot: p.replaced(objRoot, "/AcroForm", "/DSS << /OCSPs [20 0 R 21 0 R] >> /AcroForm"),
			}})
		}, proof.Valid, proof.Unknown},
		{"B-LT by a list", "B-LT", func(p *pdf) {
			p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
			p.store(nil, [][]byte{w.list(nil)})
		}, proof.Valid, proof.Unknown},
		{"B-LTA", "B-LTA", func(p *pdf) {
			p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
			p.store(answers, nil)
			p.sign(w, stamp)
		}, proof.Valid, proof.Unknown},
		{"half the answers", "B-T", func(p *pdf) {
			p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
			p.store(answers[1:], nil)
		}, proof.Valid, proof.Unknown},
		{"a document time-stamp over nothing kept", "B-T", func(p *pdf) {
			p.sign(w, signing{by: w.signer, field: "s"})
			p.sign(w, stamp)
		}, proof.Valid, proof.Unknown},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			w.t = t
			p := newPDF(t)
			c.make(p)
			now := w.judgedAt(p.data, noon.Add(time.Minute))
			s := now.Signatures[0]
			if !now.Valid() || s.Level != c.level {
				t.Errorf("valid: %t, level %s, want %s: %q, lacks %q", now.Valid(), s.Level, c.level, s.Because, s.Lacks)
			}
			if got := w.judgedAt(p.data, expired).Signatures[0].Verdict; got != c.later {
				t.Errorf("a year later: %s, want %s", got, c.later)
			}
			if got := w.judgedAt(p.data, noon.AddDate(10, 0, 0)).Signatures[0].Verdict; got != c.decades {
				t.Errorf("ten years later: %s, want %s", got, c.decades)
			}
			if got := w.judgedAt(p.data, noon.Add(time.Minute)); !got.Valid() {
				t.Errorf("judged again: %s", got.Signatures[0].Verdict)
			}
		})
	}
}

// TestGivenListsTakeNoLevelAway judges as an installation does that has lists of its own: the
// level rests on what the document brings along, also where that is the very list that was given.
func TestGivenListsTakeNoLevelAway(t *testing.T) {
	w := newWorld(t)
	list := w.list(nil)
	for name, c := range map[string]struct {
		store func(p *pdf)
		level string
	}{
		"answers":       {func(p *pdf) { p.store([][]byte{w.says(w.signer, w.responder, nil), w.says(w.tsa, w.root, nil)}, nil) }, "B-LT"},
		"the same list": {func(p *pdf) { p.store(nil, [][]byte{list}) }, "B-LT"},
		"nothing":       {func(*pdf) {}, "B-T"},
	} {
		p := newPDF(t)
		p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
		c.store(p)
		r, err := File(t.Context(), p.data, Options{Roots: []*x509.Certificate{w.root.cert}, CRLs: [][]byte{list}, Now: noon.Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Signatures[0]; got.Verdict != proof.Valid || got.Level != c.level {
			t.Errorf("%s: %s %s, want VALID %s: lacks %q", name, got.Verdict, got.Level, c.level, got.Lacks)
		}
	}
}

// TestArchivedSignatureOutlivesItsAuthority renews: a second time-stamp, made while the
// authority of the first was valid, carries both over its end.
func TestArchivedSignatureOutlivesItsAuthority(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
	p.store([][]byte{w.says(w.signer, w.root, nil), w.says(w.tsa, w.root, nil)}, nil)
	p.sign(w, signing{by: w.tsa, field: "first", token: true, stamped: noon.Add(time.Hour)})
	young := w.issue("Stamper of later years", w.root, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		c.NotAfter = noon.AddDate(15, 0, 0)
	})
	w.wants(w.judgedAt(p.data, noon.AddDate(10, 0, 0)), "expired", proof.Unknown, proof.Unknown)
	p.sign(w, signing{by: young, field: "second", token: true, stamped: noon.AddDate(4, 0, 0)})
	r := w.judgedAt(p.data, noon.AddDate(10, 0, 0))
	w.wants(r, "", proof.Valid, proof.Valid, proof.Valid)
	if at := r.Signatures[0].Time.At; !at.Equal(noon) {
		t.Errorf("signed at %s, want %s", at, noon)
	}
}

func TestEveryByteThatIsSignedCounts(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
	from := bytes.LastIndex(p.data, []byte("/Contents <")) + len("/Contents ")
	to := from + 2*contentsSize + 2
	for i := range p.data {
		if i >= from && i < to {
			continue
		}
		data := slices.Clone(p.data)
		data[i] ^= 0x11
		r, err := File(context.Background(), data, Options{Roots: []*x509.Certificate{w.root.cert}, Now: noon})
		if err == nil && (r.Valid() || slices.ContainsFunc(r.Signatures, func(s proof.Signature) bool { return s.Verdict != proof.Invalid })) {
			t.Fatalf("byte %d may be changed", i)
		}
	}
}

// TestWhatASignatureMustNotLeaveOut builds the attacks on ranges and contents.
func TestWhatASignatureMustNotLeaveOut(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name    string
		signing signing
		because string
	}{
		{"something else in the gap", signing{gap: " /Evil (x)"}, "not its contents alone"},
		{"another dictionary in the gap", signing{gap: " >> << /Type /Catalog"}, "not its contents alone"},
		{"blanks among the digits", signing{hexed: func(s string) string { return s[:20] + " " + s[20:] }}, "hold more"},
		{"not from the first byte", signing{ranges: func(from, to, end int) [4]int { return [4]int{1, from - 1, to, end - to} }}, "from the first byte on"},
		{"over the end", signing{ranges: func(from, to, end int) [4]int { return [4]int{0, from, to, end - to + 1} }}, "within the file"},
		{"ranges that overlap", signing{ranges: func(from, _, end int) [4]int { return [4]int{0, from, from - 100, end - from + 100} }}, "in order"},
		{"only the first range", signing{ranges: func(from, to, _ int) [4]int { return [4]int{0, from, to, 0} }}, "in order"},
		{"ends before the revision", signing{ranges: func(from, to, end int) [4]int { return [4]int{0, from, to, end - to - 60} }}, "no whole document"},
		{"gap of another place", signing{ranges: func(from, to, end int) [4]int { return [4]int{0, from - 40, to - 40, end - to + 40} }}, "not its contents alone"},
		{"contents twice", signing{entries: "/Contents <00>"}, "twice"},
		{"no field has it", signing{noValue: true}, ""},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			w.t = t
			p := newPDF(t)
			c.signing.by, c.signing.field = w.signer, "s"
			p.sign(w, c.signing)
			if c.signing.noValue { // a later revision shows what the signed one did not
				dict := p.size - 2
				p.revise(map[int]string{p.size - 1: p.replaced(p.size-1, "/FT /Sig", fmt.Sprintf("/FT /Sig /V %d 0 R", dict))})
				c.because = "does not have it in a field"
			}
			w.wants(w.judged(p.data), c.because, proof.Invalid)
		})
	}
}

func TestOwnPartsOfTheSignature(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "s"})
	dict := p.size - 2
	start := bytes.LastIndex(p.data, []byte(fmt.Sprintf("%d 0 obj", dict)))
	body := string(p.data[start+len(fmt.Sprintf("%d 0 obj\n", dict)):])
	body = body[:strings.Index(body, "\nendobj")]
	for name, changed := range map[string]string{
		"no range":       strings.Replace(body, "/ByteRange", "/Range", 1),
		"no contents":    strings.Replace(body, "/Contents", "/Content", 1),
		"range is null":  body[:strings.Index(body, "/ByteRange")] + "/ByteRange null" + body[strings.Index(body, "] /Contents")+1:],
		"empty contents": body[:strings.Index(body, "/Contents")] + "/Contents <> >>",
		"same again":     body,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w.t = t
			c := p.clone()
			c.revise(map[int]string{dict: changed})
			w.wants(w.judged(c.data), "", proof.Invalid)
		})
	}
}

// TestChangesAfterwards appends revisions to a signed document.
func TestChangesAfterwards(t *testing.T) {
	w := newWorld(t)
	annotation := "<< /Type /Annot /Subtype /FreeText /Contents (not what was agreed) /Rect [0 0 500 500] >>"
	for _, c := range []struct {
		name    string
		change  func(p *pdf)
		kind    proof.Difference
		what    string
		verdict [4]proof.Verdict // without a certification, and permitting 1, 2 and 3
	}{
		{"content", func(p *pdf) { p.revise(map[int]string{objContents: content("1 0 0 rg")}) }, proof.Other, "Contents", never},
		{"content elsewhere", func(p *pdf) {
			p.revise(map[int]string{50: content("1 0 0 rg"), objPage: p.replaced(objPage, "/Contents 4", "/Contents 50")})
		}, proof.Other, "page 1: Contents", never},
		{"page size", func(p *pdf) { p.revise(map[int]string{objPage: p.replaced(objPage, "595", "600")}) }, proof.Other, "page 1: MediaBox", never},
		{"page added", func(p *pdf) {
			p.revise(map[int]string{51: "<< /Type /Page /Parent 2 0 R >>", objPages: p.replaced(objPages, "[3 0 R]", "[3 0 R 51 0 R]")})
		}, proof.Other, "Pages", never},
		{"another root", func(p *pdf) {
			p.trailer = "/Root 52 0 R /Info 6 0 R"
			p.revise(map[int]string{52: p.objects[objRoot]})
		}, proof.Other, "another root", never},
		{"pages of the root", func(p *pdf) {
			p.revise(map[int]string{53: p.objects[objPages], objRoot: p.replaced(objRoot, "/Pages 2", "/Pages 53")})
		}, proof.Other, "Root/Pages", never},
		{"action on opening", func(p *pdf) {
			p.revise(map[int]string{objRoot: p.replaced(objRoot, "/AcroForm", "/OpenAction << /S /JavaScript /JS (evil) >> /AcroForm")})
		}, proof.Other, "Root/OpenAction", never},
		{"value of a field", func(p *pdf) { p.revise(map[int]string{objText: p.replaced(objText, "(100)", "(1000000)")}) }, proof.Form, `"amount"`, forms},
		{"place of a field", func(p *pdf) { p.revise(map[int]string{objText: p.replaced(objText, "[0 0 10 10]", "[0 0 99 99]")}) }, proof.Other, "Rect", never},
		{"field added", func(p *pdf) {
			p.revise(map[int]string{54: "<< /FT /Tx /T (new) >>", objForm: p.replaced(objForm, "/Fields [", "/Fields [54 0 R ")})
		}, proof.Other, `"new"`, never},
		{"empty field for a signature", func(p *pdf) { p.revise(newField(p, "")) }, proof.Signing, `"next" was added`, forms},
		{"empty field with a place", func(p *pdf) { p.revise(newField(p, "/Rect [0 0 595 842]")) }, proof.Signing, `"next" was added`, forms},
		{"empty field that hides nothing", func(p *pdf) { p.revise(newField(p, "/Rect [0 0 0 0] /AP << /N 4 0 R >>")) }, proof.Signing, `"next" was added`, forms},
		{"empty field that shows something", func(p *pdf) { p.revise(newField(p, "/Rect [0 0 595 842] /AP << /N 4 0 R >>")) }, proof.Other, "nobody signed", never},
		{"empty field with a ground", func(p *pdf) { p.revise(newField(p, "/Rect [0 0 595 842] /MK << /BG [1] >>")) }, proof.Other, "nobody signed", never},
		{"field removed", func(p *pdf) { p.revise(map[int]string{objForm: p.replaced(objForm, "7 0 R", "")}) }, proof.Other, "removed", never},
		{"annotation", func(p *pdf) {
			p.revise(map[int]string{55: annotation, objPage: p.replaced(objPage, "/Annots [", "/Annots [55 0 R ")})
		}, proof.Annotations, "FreeText", annotations},
		{"annotations removed", func(p *pdf) { p.revise(map[int]string{objPage: p.replaced(objPage, "7 0 R", "")}) }, proof.Other, "removed", never},
		{"title", func(p *pdf) { p.revise(map[int]string{objInfo: "<< /Title (Another) >>"}) }, proof.Archive, "Info", always},
		{"store", func(p *pdf) { p.store([][]byte{w.says(w.signer, w.root, nil)}, nil) }, proof.Archive, "DSS", always},
		{"time-stamp", func(p *pdf) { p.sign(w, signing{by: w.tsa, field: "stamp", token: true, stamped: noon}) }, proof.Archive, "stamp", always},
		{"signature", func(p *pdf) { p.sign(w, signing{by: w.signer, field: "next"}) }, proof.Signing, `"next"`, forms},
		{"appearance of the signature", func(p *pdf) {
			p.revise(map[int]string{p.size - 1: p.replaced(p.size-1, "/F 132", "/F 132 /AP << /N 4 0 R >>")})
		}, proof.Other, "AP", never},
		{"nothing, written again", func(p *pdf) {
			p.revise(map[int]string{objPage: p.objects[objPage], objContents: p.objects[objContents]})
		}, "", "", always},
		{"object that was missing", func(p *pdf) { p.revise(map[int]string{objFree: content("1 0 0 rg")}) }, proof.Other, "Missing", never},
		{"title that is shown too", func(p *pdf) {
			p.revise(map[int]string{objInfo: "<< /Title (Another) >>"})
		}, proof.Other, "AlsoInfo", never},
		{"bytes without a revision", func(p *pdf) { p.data = append(p.data, "4 0 obj\nnull\nendobj\n"...) }, proof.Other, "no revision", never},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(c.name, " ", "_"), ",", ""), func(t *testing.T) {
			for permits, want := range c.verdict {
				w.t = t
				p := newPDF(t)
				switch c.name { // the document was prepared for the change before it was signed
				case "object that was missing":
					p.revise(map[int]string{objPage: p.replaced(objPage, "/Contents", fmt.Sprintf("/Missing %d 0 R /Contents", objFree))})
				case "time-stamp": // the root is named by others too, as usage rights do
					p.revise(map[int]string{objRoot: p.replaced(objRoot, "/AcroForm", "/Perms << /Data 1 0 R >> /AcroForm")})
				case "title that is shown too":
					p.revise(map[int]string{objPage: p.replaced(objPage, "/Contents", "/AlsoInfo 6 0 R /Contents")})
				}
				entries := ""
				if permits > 0 {
					entries = fmt.Sprintf("/Reference [<< /TransformMethod /DocMDP /TransformParams << /P %d >> >>]", permits)
				}
				p.sign(w, signing{by: w.signer, field: "s", entries: entries})
				if r := w.judged(p.data); !r.Valid() || !r.Signatures[0].Coverage.Whole() {
					t.Fatalf("before the change: %+v", r)
				}
				c.change(p)
				s := w.judged(p.data).Signatures[0]
				if s.Verdict != want {
					t.Errorf("permits %d: %s, want %s: %+v", permits, s.Verdict, want, s.Changes)
				}
				if c.kind == "" && len(s.Changes) == 0 {
					continue
				}
				if !slices.ContainsFunc(s.Changes, func(got proof.Change) bool { return got.Difference == c.kind && strings.Contains(got.What, c.what) }) {
					t.Errorf("permits %d: changes %+v, want %s with %q", permits, s.Changes, c.kind, c.what)
				}
			}
		})
	}
}

// newField is an empty signature field, and what names it.
func newField(p *pdf, entries string) map[int]string {
	return map[int]string{
		91:      "<< /Type /Annot /Subtype /Widget /FT /Sig /T (next) /P 3 0 R " + entries + " >>",
		objForm: p.replaced(objForm, "[", "[91 0 R "), objPage: p.replaced(objPage, "/Annots [", "/Annots [91 0 R "),
	}
}

var (
	never       = [4]proof.Verdict{proof.Invalid, proof.Invalid, proof.Invalid, proof.Invalid}
	always      = [4]proof.Verdict{proof.Valid, proof.Valid, proof.Valid, proof.Valid}
	forms       = [4]proof.Verdict{proof.Valid, proof.Invalid, proof.Valid, proof.Valid}
	annotations = [4]proof.Verdict{proof.Invalid, proof.Invalid, proof.Invalid, proof.Valid}
)

func TestEmptyFieldIsFilled(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	empty := "<< /Type /Annot /Subtype /Widget /FT /Sig /T (second) /Rect [0 0 0 0] /P 3 0 R >>"
	p.revise(map[int]string{30: empty, objForm: p.replaced(objForm, "[", "[30 0 R "), objPage: p.replaced(objPage, "/Annots [", "/Annots [30 0 R ")})
	p.sign(w, signing{by: w.signer, field: "first"})
	p.sign(w, signing{by: w.signer, field: "other", also: map[int]string{30: strings.Replace(empty, "/FT", fmt.Sprintf("/V %d 0 R /FT", p.size), 1)}})
	r := w.judged(p.data) // one signature in two fields is one
	w.wants(r, "", proof.Valid, proof.Valid)
	if got := r.Signatures[0].Coverage; got.Revision != 3 || got.Of != 4 || got.Whole() {
		t.Errorf("the first covers %+v", got)
	}
}

func TestTrust(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	notToSign := w.issue("Encrypter", w.root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	stray := w.issue("Stray", w.root, nil)
	early, late := noon.Add(-time.Second), noon.Add(time.Second)
	revokedAt := func(at time.Time) func(*ocsp.Response) {
		return func(r *ocsp.Response) {
			r.Status, r.RevokedAt, r.ThisUpdate = ocsp.Revoked, at, noon.Add(2*time.Second)
		}
	}
	listed := func(at time.Time) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: w.signer.cert.SerialNumber, RevocationTime: at}}
		}
	}
	for _, c := range []struct {
		name    string
		signing signing
		ocsps   [][]byte
		crls    [][]byte
		verdict proof.Verdict
		because string
		status  proof.Status
	}{
		{"good", signing{by: w.signer}, [][]byte{w.says(w.signer, w.responder, nil)}, nil, proof.Valid, "", proof.Good},
		{"said by the root", signing{by: w.signer}, [][]byte{w.says(w.signer, w.root, nil)}, nil, proof.Valid, "", proof.Good},
		{"nothing said", signing{by: w.signer}, nil, nil, proof.Valid, "", proof.NoAnswer},
		{"another root", signing{by: other.signer}, nil, nil, proof.Unknown, "not at hand", proof.NoAnswer},
		{"not to sign", signing{by: notToSign}, nil, nil, proof.Unknown, "not for signing", proof.NoAnswer},
		{"revoked before", signing{by: w.signer, stamped: noon}, [][]byte{w.says(w.signer, w.root, revokedAt(early))}, nil, proof.Invalid, "was revoked", proof.Revoked},
		{"revoked later", signing{by: w.signer, stamped: noon}, [][]byte{w.says(w.signer, w.root, revokedAt(late))}, nil, proof.Valid, "", proof.Good},
		{"revoked, no time proven", signing{by: w.signer}, [][]byte{w.says(w.signer, w.root, revokedAt(late))}, nil, proof.Invalid, "was revoked", proof.Revoked},
		{"revoked beats good", signing{by: w.signer}, [][]byte{w.says(w.signer, w.root, nil), w.says(w.signer, w.responder, revokedAt(early))}, nil, proof.Invalid, "was revoked", proof.Revoked},
		{"listed before", signing{by: w.signer, stamped: noon}, nil, [][]byte{w.list(listed(early))}, proof.Invalid, "was revoked", proof.Revoked},
		{"listed later", signing{by: w.signer, stamped: noon}, nil, [][]byte{w.list(listed(late))}, proof.Valid, "", proof.Good},
		{"list of another", signing{by: w.signer}, nil, [][]byte{other.list(nil)}, proof.Valid, "", proof.NoAnswer},
		{"answer about another", signing{by: w.signer}, [][]byte{w.says(w.tsa, w.responder, nil)}, nil, proof.Valid, "", proof.NoAnswer},
		{"answer of nobody", signing{by: w.signer}, [][]byte{w.says(w.signer, stray, nil)}, nil, proof.Valid, "", proof.NoAnswer},
		{"answer of another root", signing{by: w.signer}, [][]byte{other.says(w.signer, other.responder, nil)}, nil, proof.Valid, "", proof.NoAnswer},
		{"answer that was over", signing{by: w.signer, stamped: noon}, [][]byte{w.says(w.signer, w.root, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = noon.Add(-2*time.Hour), noon.Add(-time.Hour)
		})}, nil, proof.Valid, "", proof.NoAnswer},
		{"answer of the future", signing{by: w.signer, stamped: noon}, [][]byte{w.says(w.signer, w.root, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = noon.Add(2*time.Hour), noon.Add(3*time.Hour)
		})}, nil, proof.Valid, "", proof.NoAnswer},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(c.name, " ", "_"), ",", ""), func(t *testing.T) {
			w.t = t
			p := newPDF(t)
			c.signing.field = "s"
			p.sign(w, c.signing)
			p.store(c.ocsps, c.crls)
			r := w.judgedAt(p.data, noon.Add(10*time.Second))
			w.wants(r, c.because, c.verdict)
			if got := r.Signatures[0].Chain[0].Revocation.Status; got != c.status {
				t.Errorf("revocation %s, want %s", got, c.status)
			}
		})
	}
}

// TestTimeStampsThatDoNotCount has a signature whose certificate has expired: only a
// time-stamp that counts could save it.
func TestTimeStampsThatDoNotCount(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "s"})
	for name, stamp := range map[string]signing{
		"of another root":    {by: other.tsa, token: true, stamped: noon},
		"of a mere signer":   {by: w.signer, token: true, stamped: noon},
		"made after the end": {by: w.tsa, token: true, stamped: noon.AddDate(0, 0, 2)},
		"of the future":      {by: w.tsa, token: true, stamped: noon.AddDate(2, 0, 0)},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w.t = t
			c := p.clone()
			c.t = t
			stamp.field = "stamp"
			c.sign(w, stamp)
			if got := w.judgedAt(c.data, noon.AddDate(1, 0, 0)).Signatures[0]; got.Verdict != proof.Unknown {
				t.Errorf("%s: %+v", got.Verdict, got.Time)
			}
		})
	}
	c := p.clone()
	c.sign(w, signing{by: w.tsa, field: "stamp", token: true, stamped: noon})
	w.wants(w.judgedAt(c.data, noon.AddDate(1, 0, 0)), "", proof.Valid, proof.Valid)
}

// TestNotPAdES names what a signature of others lacks.
func TestNotPAdES(t *testing.T) {
	w := newWorld(t)
	p := newPDF(t)
	p.sign(w, signing{by: w.signer, field: "s"})
	s := w.judged(bytes.Replace(p.data, []byte("/M (D:20261128120000Z)"), []byte("/X (D:20261128120000Z)"), 1)).Signatures[0]
	if s.Level != "" || !slices.Contains(s.Lacks, "its dictionary says no time") {
		t.Errorf("level %q, lacks %q", s.Level, s.Lacks)
	}
	foreign := bytes.Replace(p.data, []byte("/SubFilter /ETSI.CAdES.detached"), []byte("/SubFilter /adbe.x509.rsa_sha1 "), 1)
	if s = w.judged(foreign).Signatures[0]; s.Verdict != proof.Invalid || s.Intact() {
		t.Errorf("a form that is not judged: %+v", s)
	}
}

func TestFilesWithNothingToJudge(t *testing.T) {
	p := newPDF(t)
	encrypted := p.clone()
	encrypted.trailer += " /Encrypt 9 0 R"
	encrypted.revise(map[int]string{9: "<< /Filter /Standard >>"})
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty":     {nil, ErrNoPDF},
		"text":      {[]byte("hello"), ErrNoPDF},
		"unsigned":  {p.data, ErrUnsigned},
		"encrypted": {encrypted.data, ErrEncrypted},
		"large":     {make([]byte, MaxSize+1), ErrTooLarge},
		"cut":       {p.data[:300], errSyntax},
		"circle":    {bytes.Replace(p.data, []byte("/Size"), []byte(fmt.Sprintf("/Prev %d /Size", p.prev)), 1), errSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := File(context.Background(), c.data, Options{Now: noon}); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestHostileFilesEnd gives files that would take for ever, or all memory.
func TestHostileFilesEnd(t *testing.T) {
	w := newWorld(t)
	with := func(objects map[int]string) []byte {
		p := newPDF(t)
		p.revise(objects)
		p.sign(w, signing{by: w.signer, field: "s"})
		p.revise(map[int]string{objContents: content("q Q")})
		return p.data
	}
	chain := map[int]string{}
	for n := range 20_000 {
		chain[100+n] = fmt.Sprintf("<< /Next %d 0 R >>", 101+n)
	}
	chain[objRoot] = "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /Outlines 100 0 R >>"
	kids := map[int]string{objForm: "<< /Fields [7 0 R 40 0 R] >>", 40: "<< /Kids [41 0 R 41 0 R] /T (a) >>", 41: "<< /Kids [40 0 R 41 0 R 42 0 R] >>", 42: "<< /Kids 41 0 R >>"}
	for name, data := range map[string][]byte{
		"nested arrays":    with(map[int]string{objContents: strings.Repeat("[", 1<<20)}),
		"nested, closed":   with(map[int]string{objRoot: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /X " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + " >>"}),
		"long chain":       with(chain),
		"fields in a ring": with(kids),
		"pages in a ring":  with(map[int]string{objPages: "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 1 >>"}),
		"length of itself": with(map[int]string{objContents: "<< /Length 4 0 R >>\nstream\nx\nendstream"}),
		"many numbers":     with(map[int]string{objContents: "[" + strings.Repeat("1 ", 1<<22) + "]"}),
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(name, " ", "_"), ",", ""), func(t *testing.T) {
			began := time.Now()
			r, err := File(context.Background(), data, Options{Roots: []*x509.Certificate{w.root.cert}, Now: noon})
			if err == nil && r.Valid() {
				t.Error("it is valid")
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := File(ended, with(nil), Options{Now: noon}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}

// FuzzFile looks for files that crash the validator. That none is called valid which differs
// where it was signed, TestEveryByteThatIsSignedCounts tries byte by byte: the workers of a
// fuzzing run have other keys than the seeds.
func FuzzFile(f *testing.F) {
	w := newWorld(&testing.T{})
	p := newPDF(&testing.T{})
	p.sign(w, signing{by: w.signer, field: "s", stamped: noon})
	f.Add(p.data)
	p.store([][]byte{w.says(w.signer, w.root, nil)}, [][]byte{w.list(nil)})
	p.sign(w, signing{by: w.tsa, field: "stamp", token: true, stamped: noon})
	f.Add(p.data)
	f.Add(withStreams())
	for _, data := range overflows() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := File(context.Background(), b, Options{Roots: []*x509.Certificate{w.root.cert}, Now: noon})
		if err == nil && len(r.Signatures) == 0 {
			t.Error("no signature, and no error")
		}
	})
}

// withStreams is an unsigned file whose cross-reference is a stream and whose objects are in
// another.
func withStreams() []byte {
	b := bytes.NewBufferString("%PDF-1.7\n")
	inner, head := "", ""
	for n, o := range []string{"<< /Type /Catalog /AcroForm 2 0 R >>", "<< /Fields [3 0 R] >>", "<< /FT /Sig /T (a) /V << /ByteRange [0 1 2 3] >> >>"} {
		head += fmt.Sprintf("%d %d ", n+1, len(inner))
		inner += o + " "
	}
	first := len(head)
	inner = head + inner
	stm := b.Len()
	fmt.Fprintf(b, "4 0 obj\n<< /Type /ObjStm /N 3 /First %d /Length %d >>\nstream\n%s\nendstream\nendobj\n", first, len(inner), inner)
	xref := b.Len()
	rows, _ := hex.DecodeString(fmt.Sprintf("00000000%s%s%s01%04x00", "02000400", "02000401", "02000402", stm))
	fmt.Fprintf(b, "5 0 obj\n<< /Type /XRef /Size 5 /W [1 2 1] /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", len(rows), rows, xref)
	return b.Bytes()
}

func TestObjectsInStreams(t *testing.T) {
	d, err := open(withStreams(), newBudget(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := d.fields()
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.signatures(fields)
	if err != nil || len(all) != 1 || all[0].strange == nil || all[0].field.name != "a" {
		t.Errorf("%+v, %v", all, err)
	}
	if got := slices.Sorted(maps.Keys(d.entries)); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("objects %v", got)
	}
}
