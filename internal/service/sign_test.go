package service_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/vault"
	"vidimus/internal/service/videoident"
)

// signsBy gives the account eSigning with handwriting, and whatever else change says.
func (b *bench) signsBy(id company.ID, change func(e *company.ESign)) {
	b.Helper()
	b.apply(id, func(c *company.Company) {
		c.Products, c.ESign.Handwritten = append(c.Products, company.ESigning), true
		change(&c.ESign)
	})
}

// judge reviews as B and returns what came of it.
func (b *bench) judge(c videoident.Case, d evidence.Decision) error {
	b.Helper()
	return b.video.Review(b.Context(), c, evidence.Review{Reviewer: "B", Decision: d})
}

// signedOf is what was signed of a document; empty: nothing.
func (b *bench) signedOf(c videoident.Case, id esign.Identifier) string {
	b.Helper()
	file, err := b.signing.SignedFile(b.Context(), b.account(c.Company), b.get(c), id)
	if fault.Is(err, fault.Precondition) {
		return ""
	}
	return b.content(file, err)
}

// untouched expects that nothing was signed of an identification that waits for its review,
// that no key is left, and no file beside those that there were.
func (b *bench) untouched(c videoident.Case, files int) {
	b.Helper()
	if s := b.get(c).State; !s.Preliminary() {
		b.Errorf("it is %s", s)
	}
	for _, d := range b.documents(c) {
		if strings.Contains(d, string(esign.Signed)) {
			b.Errorf("signed: %q", d)
		}
	}
	b.noKey()
	if n := b.kept(c); n != files {
		b.Errorf("there are %d files, not %d", n, files)
	}
	for _, act := range b.acts(string(c.ID)) {
		if strings.Contains(act, "document.signed") || strings.Contains(act, "review.decided") {
			b.Errorf("the trail says %q", act)
		}
	}
}

func (b *bench) noKey() {
	b.Helper()
	if b.trust.Open != 0 {
		b.Errorf("%d keys are left", b.trust.Open)
	}
}

// kept counts the files of an identification but for the PDFs of its results: one that comes
// too late may stay (see publish.Render).
func (b *bench) kept(c videoident.Case) (n int) {
	b.Helper()
	for name := range b.filesOf(string(c.Company) + "/" + string(c.ID)) {
		if !strings.Contains(name, "/result-") {
			n++
		}
	}
	return n
}

func TestOnlyASuccessfulReviewSigns(t *testing.T) {
	corrected := data()
	corrected.Userdata[person.Firstname], corrected.Userdata[person.Lastname] = "ANNE", "NEU"
	corrected.Document[person.DocumentCountry] = "DE"
	was := "ANNA " + strings.ToUpper(lastName)
	for name, c := range map[string]struct {
		suspect ident.Reason
		review  evidence.Review
		signer  string // empty: nothing is signed
	}{
		"confirmed":         {"", evidence.Review{Decision: evidence.Confirm}, was},
		"corrected":         {"", evidence.Review{Decision: evidence.Correct, Data: corrected}, "ANNE NEU"},
		"fraud cleared":     {"WARNING_PHOTO", evidence.Review{Decision: evidence.ClearFraud}, was},
		"fraud corrected":   {"WARNING_PHOTO", evidence.Review{Decision: evidence.Correct, Data: corrected}, "ANNE NEU"},
		"fraud confirmed":   {"WARNING_PHOTO", evidence.Review{Decision: evidence.ConfirmFraud}, ""},
		"fraud found later": {"", evidence.Review{Decision: evidence.ConfirmFraud, Reason: "WARNING_PHOTO"}, ""},
		"canceled":          {"", evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto}, ""},
		"canceled as fraud": {"WARNING_PHOTO", evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.signs(bank)
				b.define("a", "%PDF-1 a")
				n := b.start("1")
				b.identified(n, c.suspect)
				if len(b.trust.Begun) != 0 || len(b.pen.Orders) != 0 || b.signedOf(n, "a") != "" {
					t.Fatal("it was signed before the second person has looked")
				}
				b.review(n, c.review)
				b.noKey()
				if c.signer == "" {
					if len(b.trust.Begun) != 0 || len(b.pen.Orders) != 0 || b.signedOf(n, "a") != "" {
						t.Errorf("it was signed by %v", b.trust.Begun)
					}
					if strings.Contains(b.json(n), "esigning") {
						t.Error(b.json(n))
					}
					return
				}
				if len(b.trust.Begun) != 1 || b.trust.Begun[0].CommonName != c.signer {
					t.Errorf("certificates for %v", b.trust.Begun)
				}
				if got, want := b.signedOf(n, "a"), "%PDF-1 a signed by "+c.signer+", B-LT, 0 places"; got != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		})
	}
}

func TestAbortedAttemptSignsNothingAndTheNextOneItsOwnFile(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1 first")
		c := b.start("1")
		b.take(c)
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		if len(b.trust.Begun) != 0 || b.signedOf(c, "a") != "" {
			t.Error("an aborted attempt signed")
		}
		b.ok(b.upload(c, "a", "%PDF-1 second"))
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		if got := b.signedOf(c, "a"); !strings.HasPrefix(got, "%PDF-1 second signed by ANNA") {
			t.Errorf("%q", got)
		}
	})
}

// code is what the user enters for these hashes.
func (b *bench) code(hashes []string) videoident.Piece {
	now := b.clock.Now()
	return videoident.Piece{What: evidence.Code{To: "***1", SentAt: now, EnteredAt: now, Documents: hashes}}
}

func (b *bench) hashes(c videoident.Case) []string {
	b.Helper()
	all, err := b.signing.Hashes(b.Context(), b.get(c))
	b.ok(err)
	return all
}

func TestIdentCodeConfirmsExactlyTheseDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		code func(b *bench, c videoident.Case) []videoident.Piece // of the second attempt
		ok   bool
	}{
		"entered":  {func(b *bench, c videoident.Case) []videoident.Piece { return []videoident.Piece{b.code(b.hashes(c))} }, true},
		"none":     {func(*bench, videoident.Case) []videoident.Piece { return nil }, false},
		"for none": {func(b *bench, _ videoident.Case) []videoident.Piece { return []videoident.Piece{b.code(nil)} }, false},
		"for one alone": {func(b *bench, c videoident.Case) []videoident.Piece {
			return []videoident.Piece{b.code(b.hashes(c)[:1])}
		}, false},
		"for one more": {func(b *bench, c videoident.Case) []videoident.Piece {
			return []videoident.Piece{b.code(append(b.hashes(c), b.hashes(c)[0]))}
		}, false},
		"in another order": {func(b *bench, c videoident.Case) []videoident.Piece {
			all := b.hashes(c)
			slices.Reverse(all)
			return []videoident.Piece{b.code(all)}
		}, false},
		"sent, not entered": {func(b *bench, c videoident.Case) []videoident.Piece {
			return []videoident.Piece{{What: evidence.Code{To: "***1", SentAt: b.clock.Now(), Documents: b.hashes(c)}}}
		}, false},
		"for others, then for these": {func(b *bench, c videoident.Case) []videoident.Piece {
			return []videoident.Piece{b.code([]string{"00"}), b.code(b.hashes(c))}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.signsBy(bank, func(e *company.ESign) { e.IdentCode = true })
				b.define("a", "%PDF-1 a")
				b.define("b", "%PDF-1 b")
				n := b.start("1")
				b.take(n)
				b.ok(b.video.Record(b.Context(), n, b.code(b.hashes(n)))) // of an attempt that comes to nothing
				b.ok(b.video.Abort(b.Context(), n, ident.TechVideo, "agent:A"))
				b.take(n)
				b.ok(b.video.Record(b.Context(), n, append(pieces(), c.code(b, n)...)...))
				b.ok(b.video.Conclude(b.Context(), n, evidence.Verdict{Data: data()}))
				files := b.kept(n)
				err := b.judge(n, evidence.Confirm)
				if c.ok {
					b.ok(err)
					b.noKey()
					return
				}
				b.wantFault(err, fault.Precondition, "the review")
				b.untouched(n, files)
				if len(b.trust.Begun) != 0 {
					t.Error("a certificate was fetched")
				}
				b.ok(b.video.Review(b.Context(), n, evidence.Review{Reviewer: "B", Decision: evidence.Cancel, Reason: ident.TechPhoto}))
			})
		})
	}
}

func TestCodeForAFileThatWasReplacedDoesNotCount(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signsBy(bank, func(e *company.ESign) { e.IdentCode = true })
		b.define("a", "%PDF-1 a")
		c := b.start("1")
		old := b.hashes(c)
		b.take(c)
		b.ok(b.video.Record(b.Context(), c, b.code(old)))
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "agent:A"))
		b.ok(b.upload(c, "a", "%PDF-1 another"))
		b.take(c)
		b.ok(b.video.Record(b.Context(), c, append(pieces(), b.code(old))...))
		b.ok(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data()}))
		files := b.kept(c)
		b.wantFault(b.judge(c, evidence.Confirm), fault.Precondition, "the review")
		b.untouched(c, files)
	})
}

// byHand gives document a a handwritten signature on the first page.
func (b *bench) byHand(c videoident.Case) {
	b.Helper()
	hand := []esign.Signature{{Name: "hand", Type: esign.Handwritten, Position: esign.Position{Page: 1, Width: 100, Height: 30}}}
	b.ok(b.signing.UpdateDocument(b.Context(), b.account(c.Company), b.get(c), "a", esign.DocumentChange{Signatures: &hand}))
}

func TestHandwritingBelongsToOneAttempt(t *testing.T) {
	stroke := []esign.Stroke{{{X: 0.1, Y: 0.1}, {X: 0.9, Y: 0.9}}}
	for name, c := range map[string]struct{ first, second, ok bool }{
		"never": {false, false, false}, "in the attempt": {false, true, true}, "in one before": {true, false, false}, "in both": {true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.signsBy(bank, func(*company.ESign) {})
				b.define("a", "%PDF-1 a")
				n := b.start("1")
				b.byHand(n)
				b.wantFault(b.signing.Draw(b.Context(), b.get(n), stroke), fault.Precondition, "before the process")
				b.take(n)
				if c.first {
					b.ok(b.signing.Draw(b.Context(), b.get(n), stroke))
				}
				b.ok(b.video.Abort(b.Context(), n, ident.TechVideo, "agent:A"))
				b.ok(b.upload(n, "a", "%PDF-1 another"))
				b.take(n)
				b.wantFault(b.signing.Draw(b.Context(), b.get(n), nil), fault.Invalid, "nothing")
				if c.second {
					b.ok(b.signing.Draw(b.Context(), b.get(n), stroke))
				}
				b.ok(b.video.Record(b.Context(), n, pieces()...))
				b.ok(b.video.Conclude(b.Context(), n, evidence.Verdict{Data: data()}))
				b.wantFault(b.signing.Draw(b.Context(), b.get(n), stroke), fault.Precondition, "after the process")
				files := b.kept(n)
				err := b.judge(n, evidence.Confirm)
				if !c.ok {
					e, isFault := errors.AsType[*fault.Error](err)
					if !isFault || e.Kind != fault.Precondition || e.Key != "hand" {
						t.Errorf("%v", err)
					}
					b.untouched(n, files)
					return
				}
				b.ok(err)
				b.noKey()
				places := b.pen.Orders[0].Places
				if len(places) != 1 || places[0].Type != esign.Handwritten || !cmp.Equal(places[0].Hand, stroke) {
					t.Errorf("%+v", places)
				}
			})
		})
	}
}

// failing is a pen that breaks at the n-th file, from 1.
type failing struct {
	signing.Pen
	at, n int
}

func (f *failing) Sign(ctx context.Context, content []byte, o signing.Order, s signing.Session) ([]byte, error) {
	if f.n++; f.n == f.at {
		return nil, errors.New("the pen broke")
	}
	return f.Pen.Sign(ctx, content, o, s)
}

func TestWhatFailsLeavesNothingSignedAndCanBeRepeated(t *testing.T) {
	broken := errors.New("out of order")
	for name, c := range map[string]func(b *bench) (mend func()){
		"no certificate":      func(b *bench) func() { b.trust.Fails = broken; return func() { b.trust.Fails = nil } },
		"the first document":  func(b *bench) func() { return b.breakPen(1) },
		"the second document": func(b *bench) func() { return b.breakPen(2) },
		"the result": func(b *bench) func() {
			i, err := b.db.IdentificationByNumber(b.Context(), bank, "1")
			b.ok(err)
			d, err := b.video.Open(b.Context(), videoident.Case{Company: bank, ID: i.ID})
			b.ok(err)
			picture := filepath.Join(b.dir, "files", d.Evidence.Images[0].Item.Blob) // the report lacks it
			b.ok(os.Rename(picture, picture+".away"))
			return func() { b.ok(os.Rename(picture+".away", picture)) }
		},
		"the seal of the record": func(b *bench) func() { return b.breakPen(3) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.signs(bank)
				b.define("a", "%PDF-1 a")
				b.define("b", "%PDF-1 b")
				n := b.start("1")
				b.identified(n, "")
				files := b.kept(n)
				mend := c(b)
				if err := b.judge(n, evidence.Confirm); err == nil || fault.Is(err, fault.Precondition) {
					t.Errorf("%v", err)
				}
				b.untouched(n, files)
				mend()
				b.ok(b.judge(n, evidence.Confirm))
				b.noKey()
				if b.signedOf(n, "a") == "" || b.signedOf(n, "b") == "" {
					t.Error("it was not repeated")
				}
				if now := b.kept(n); now != files+3 {
					t.Errorf("%d files became %d", files, now)
				}
			})
		})
	}
}

func (b *bench) breakPen(at int) (mend func()) {
	whole := b.signing.Pen
	b.signing.Pen = &failing{Pen: whole, at: at}
	return func() { b.signing.Pen = whole }
}

func TestDocumentThatIsNotWhatWasHashedIsNotSigned(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1 a")
		c := b.start("1")
		b.identified(c, "")
		files, i := b.kept(c), b.get(c)
		rows, err := b.db.Documents(b.Context(), bank, c.ID, i.KeyID)
		b.ok(err)
		key, err := b.keys.Get(b.Context(), i.KeyID)
		b.ok(err)
		d, err := vault.Open[esign.Document](key, "document/a", c.ID, rows[0].Sealed)
		b.ok(err)
		d.File.Hash[0] ^= 1
		rows[0].Sealed, err = vault.Seal(key, "document/a", c.ID, d)
		b.ok(err)
		b.ok(b.db.InTx(b.Context(), func(ctx context.Context) error { return b.db.PutDocument(ctx, rows[0]) }))
		if err := b.judge(c, evidence.Confirm); err == nil {
			t.Error("it was signed")
		}
		b.untouched(c, files)
	})
}

// overtaken is a pen that lets something happen before it signs.
type overtaken struct {
	signing.Pen
	do func()
}

func (o *overtaken) Sign(ctx context.Context, content []byte, order signing.Order, s signing.Session) ([]byte, error) {
	if do := o.do; do != nil {
		o.do = nil
		do()
	}
	return o.Pen.Sign(ctx, content, order, s)
}

func TestOfTwoReviewersAtOnceOneSetIsSigned(t *testing.T) {
	for name, second := range map[string]evidence.Review{
		"both confirm": {Reviewer: "C", Decision: evidence.Confirm}, "the other finds fraud": {Reviewer: "C", Decision: evidence.ConfirmFraud, Reason: "WARNING_PHOTO"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.signs(bank)
				b.define("a", "%PDF-1 a")
				c := b.start("1")
				b.identified(c, "")
				files := b.kept(c)
				b.signing.Pen = &overtaken{b.pen, func() { b.ok(b.video.Review(b.Context(), c, second)) }}
				b.wantFault(b.judge(c, evidence.Confirm), fault.Precondition, "the slower one")
				b.noKey()
				want := files + 2 // the document and the record
				if second.Decision == evidence.ConfirmFraud {
					want = files
				}
				if now := b.kept(c); now != want {
					t.Errorf("there are %d files, not %d", now, want)
				}
				if signed := b.signedOf(c, "a") != ""; signed != (second.Decision == evidence.Confirm) {
					t.Errorf("signed: %v", signed)
				}
				n := 0
				for _, act := range b.acts(string(c.ID)) {
					n += strings.Count(act, "document.signed")
				}
				if n != want-files-min(1, want-files) {
					t.Errorf("the trail tells of %d", n)
				}
			})
		})
	}
}

// archive is the texts of a ZIP, by name.
func (b *bench) archive(c videoident.Case) map[string]string {
	b.Helper()
	content := b.zip(c)
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	b.ok(err)
	all := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		b.ok(err)
		text, err := io.ReadAll(in)
		b.ok(err)
		all[f.Name] = string(text)
	}
	return all
}

func TestSignedDocumentsAreInTheResultAndInItsCopy(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1 a")
		b.define("b", "")
		text, name, optional := esign.Identifier("c"), "Terms", true
		kind := "text/plain"
		b.ok(b.signing.UpdateDefinition(b.Context(), b.account(bank), "b", esign.Change{Optional: &optional}))
		b.ok(b.signing.CreateDefinition(b.Context(), b.account(bank), esign.Change{Identifier: &text, Name: &name, MIMEType: &kind}))
		b.ok(b.signing.PutDefault(b.Context(), b.account(bank), "c", strings.NewReader("terms")))
		c := b.start("1")
		b.identified(c, "")
		if _, there := b.archive(c)["a_signed.pdf"]; there || strings.Contains(b.json(c), "esigning") {
			t.Error("the preliminary result tells of signed documents")
		}
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		b.wantDocuments(c, "a SIGNED %PDF-1 a", "b NEED_UPLOAD", "c UPLOADED terms")
		_, err := b.signing.SignedFile(b.Context(), b.account(bank), b.get(c), "c")
		b.wantFault(err, fault.Precondition, "what is no PDF")
		id, err := b.identify.Copy(b.Context(), b.account(bank), "1", other, "")
		b.ok(err)
		copied := videoident.Case{Company: other, ID: id}
		check := func(c videoident.Case, number string) {
			t.Helper()
			all, signed := b.archive(c), b.signedOf(c, "a")
			if all["a_signed.pdf"] != signed || !strings.Contains(signed, "signed by ANNA") || !strings.Contains(all[number+"_signing_record.pdf"], "by ANNA") {
				t.Errorf("%q", all)
			}
			for name := range all {
				if strings.HasPrefix(name, "b_") || strings.HasPrefix(name, "c_") {
					t.Errorf("there is %s", name)
				}
			}
			if !strings.Contains(strings.ReplaceAll(b.json(c), " ", ""), `"esigning":{"result":"SUCCESS"}`) {
				t.Error(b.json(c))
			}
			if !strings.Contains(strings.Join(strings.Fields(all[number+".xml"]), ""), "<esigning><result>SUCCESS</result></esigning>") {
				t.Error(all[number+".xml"])
			}
		}
		check(c, "1")
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		if n := len(b.filesOf(string(bank) + "/" + string(c.ID))); n != 0 {
			t.Errorf("%d files are left of a deleted one", n)
		}
		check(copied, string(b.get(copied).Number))
		b.ok(b.identify.Delete(b.Context(), other, string(b.get(copied).Number), "company"))
		if n := len(b.filesOf(string(other) + "/" + string(id))); n != 0 {
			t.Errorf("%d files are left of a deleted copy", n)
		}
	})
}

func TestResultWithoutDocumentsTellsNothingOfSigning(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		c := b.finished("1")
		if strings.Contains(b.json(c), "esigning") || len(b.trust.Begun) != 0 {
			t.Error(b.json(c))
		}
	})
}

func TestEveryStepOfASigningIsInTheTrailWithItsTime(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signsBy(bank, func(e *company.ESign) { e.IdentCode = true })
		b.define("a", "")
		c := b.start("1")
		b.ok(b.upload(c, "a", "%PDF-1 a"))
		b.byHand(c)
		time.Sleep(time.Minute)
		b.take(c)
		time.Sleep(time.Minute)
		b.ok(b.signing.Draw(b.Context(), b.get(c), []esign.Stroke{{{X: 0, Y: 0}, {X: 1, Y: 1}}}))
		time.Sleep(time.Minute)
		b.ok(b.video.Record(b.Context(), c, append(pieces(), b.code(b.hashes(c)))...))
		b.ok(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data()}))
		time.Sleep(time.Minute)
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		entries, err := b.db.AuditChain(b.Context(), string(c.ID))
		b.ok(err)
		begun := entries[0].At
		var got []string
		for _, e := range entries {
			got = append(got, fmt.Sprint(e.At.Sub(begun), " ", line(e)))
		}
		want := []string{
			"0s company identification.created",
			"0s company document.uploaded a",
			"0s company document.updated a",
			"1m0s user attempt.requested VIDEO",
			"1m0s system documents.fixed 1",
			"1m0s agent:A attempt.taken",
			"2m0s user signature.written a",
			"3m0s user code.entered 1",
			"3m0s agent:A evidence.recorded 10",
			"3m0s agent:A verdict.given REVIEW_PENDING",
			"4m0s user document.signed a",
			"4m0s agent:B review.decided SUCCESS",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDefinitionsThatChangeLaterDoNotTouchWhatIsSigned(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1 a")
		b.define("b", "%PDF-1 b")
		c := b.start("1")
		b.identified(c, "")
		name := "Something else"
		places := []esign.Signature{{Name: "x", Type: esign.Electronic, Position: esign.Position{TextContent: "nowhere"}}}
		b.ok(b.signing.DeleteDefinition(b.Context(), b.account(bank), "b"))
		b.ok(b.signing.PutDefault(b.Context(), b.account(bank), "a", strings.NewReader("%PDF-2 nowhere")))
		b.ok(b.signing.UpdateDefinition(b.Context(), b.account(bank), "a", esign.Change{Name: &name, Signatures: &places}))
		b.runFor(2 * time.Minute) // what was replaced is gone
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		if len(b.pen.Orders) != 3 || b.pen.Orders[0].Reason != "Contract a" || b.pen.Orders[1].Reason != "Contract b" || len(b.pen.Orders[0].Places) != 0 {
			t.Errorf("%+v", b.pen.Orders)
		}
		if !strings.HasPrefix(b.signedOf(c, "a"), "%PDF-1 a signed") || !strings.HasPrefix(b.signedOf(c, "b"), "%PDF-1 b signed") {
			t.Error("another file was signed")
		}
	})
}

func TestLevelIsTheAccountsOfTheMoment(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signsBy(bank, func(e *company.ESign) { e.Level = company.LevelB })
		b.define("a", "%PDF-1 a")
		c := b.start("1")
		b.identified(c, "")
		b.signsBy(bank, func(e *company.ESign) { e.Level = company.LevelLTA })
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		for _, o := range b.pen.Orders {
			if o.Level != company.LevelLTA {
				t.Errorf("%s is signed with %s", o.Reason, o.Level)
			}
		}
	})
}

// TestSealsAreThoseOfTheCreationOrCameLater has an account whose seals change meanwhile.
func TestSealsAreThoseOfTheCreationOrCameLater(t *testing.T) {
	image := func(n byte) company.Image { return company.Image{Type: company.TypePNG, Data: []byte{n}} }
	inBubble(t, 1, func(b *bench) {
		b.signsBy(bank, func(e *company.ESign) { e.Seals = map[string]company.Image{"old": image(1), "both": image(2)} })
		b.define("a", "%PDF-1 a")
		c, lost := b.start("1"), b.start("2")
		show := func(c videoident.Case, seals ...string) {
			t.Helper()
			var all []esign.Signature
			for _, seal := range seals {
				all = append(all, esign.Signature{Name: "by " + seal, Type: esign.Electronic, Image: seal, Position: esign.Position{Page: 1, Width: 9, Height: 9}})
			}
			b.ok(b.signing.UpdateDocument(b.Context(), b.account(bank), b.get(c), "a", esign.DocumentChange{Signatures: &all}))
		}
		b.signsBy(bank, func(e *company.ESign) {
			e.Seals = map[string]company.Image{"both": image(3), "new": image(4), "short": image(5)}
		})
		show(c, "old", "both", "new", esign.BuiltInSeal)
		show(lost, "short")
		b.signsBy(bank, func(e *company.ESign) { e.Seals = map[string]company.Image{"both": image(3), "new": image(4)} })
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		var got []company.Image
		for _, p := range b.pen.Orders[0].Places {
			got = append(got, p.Image)
		}
		if diff := cmp.Diff([]company.Image{image(1), image(2), image(4), {}}, got); diff != "" {
			t.Error(diff)
		}
		b.identified(lost, "")
		files := b.kept(lost)
		b.wantFault(b.judge(lost, evidence.Confirm), fault.Precondition, "with a seal that is gone")
		b.untouched(lost, files)
	})
}
