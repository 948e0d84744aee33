package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"vidimus/internal/service/signing/signingtest"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/videoident"
)

// signs gives the account eSigning.
func (b *bench) signs(id company.ID) {
	b.Helper()
	b.apply(id, func(c *company.Company) { c.Products = append(c.Products, company.ESigning) })
}

// define creates a definition of a PDF, with a default file unless that is empty.
func (b *bench) define(id esign.Identifier, file string) {
	b.Helper()
	name, kind := "Contract "+string(id), "application/pdf"
	b.ok(b.signing.CreateDefinition(b.Context(), b.account(bank), esign.Change{Identifier: &id, Name: &name, MIMEType: &kind}))
	if file != "" {
		b.ok(b.signing.PutDefault(b.Context(), b.account(bank), id, strings.NewReader(file)))
	}
}

func (b *bench) upload(c videoident.Case, id esign.Identifier, file string) error {
	return b.signing.Upload(b.Context(), b.account(c.Company), b.get(c), id, strings.NewReader(file))
}

// documents shows identifier, status and content of each document.
func (b *bench) documents(c videoident.Case) (all []string) {
	b.Helper()
	list, err := b.signing.Documents(b.Context(), b.get(c))
	b.ok(err)
	for _, d := range list {
		text := fmt.Sprint(d.Definition.Identifier, " ", d.Status())
		if d.Status() != esign.NeedUpload {
			text += " " + b.content(b.signing.File(b.Context(), b.get(c), d.Definition.Identifier))
		}
		all = append(all, text)
	}
	return all
}

func (b *bench) content(c *signing.Content, err error) string {
	b.Helper()
	b.ok(err)
	var text bytes.Buffer
	b.ok(c.WriteTo(b.Context(), &text))
	return text.String()
}

func (b *bench) wantDocuments(c videoident.Case, want ...string) {
	b.Helper()
	if got := b.documents(c); !slices.Equal(got, want) {
		b.Errorf("%s has %q, want %q", c.ID, got, want)
	}
}

func TestInstancesAreWhatThereWasWhenTheIdentificationBegan(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		before := b.start("before")
		b.define("a", "%PDF-1 terms")
		b.define("b", "")
		c := b.start("1")
		b.ok(b.signing.DeleteDefinition(b.Context(), b.account(bank), "b"))
		b.ok(b.signing.PutDefault(b.Context(), b.account(bank), "a", strings.NewReader("%PDF-2 terms")))
		b.runFor(2 * time.Minute) // what was replaced is gone
		b.wantDocuments(before)
		b.wantDocuments(c, "a UPLOADED %PDF-1 terms", "b NEED_UPLOAD")
		b.wantDocuments(b.start("2"), "a UPLOADED %PDF-2 terms")
		if files := b.filesOf(string(bank) + "/_defaults"); len(files) != 1 {
			t.Errorf("%d default files are left", len(files))
		}
		want := []string{"company definition.created a", "company definition.uploaded a", "company definition.created b", "company definition.deleted b", "company definition.uploaded a"}
		acts := b.acts(audit.CompanyChain(bank))
		if got := acts[len(acts)-len(want):]; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// TestAnotherNodesDefinitionsCountAtOnce has two nodes, each of which remembers definitions.
func TestAnotherNodesDefinitionsCountAtOnce(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.wantDocuments(b.start("1"))
		o := b.identifyOptions()
		o.Signing = signing.New(b.signing.Options)
		elsewhere := identify.New(o)
		start := func(number string) videoident.Case {
			t.Helper()
			s, err := elsewhere.Start(b.Context(), b.account(bank), number, b.application("lastname", lastName))
			b.ok(err)
			return videoident.Case{Company: bank, ID: s.ID}
		}
		b.wantDocuments(start("2"))
		b.define("a", "%PDF-1")
		b.wantDocuments(start("3"), "a UPLOADED %PDF-1")
		b.ok(b.signing.PutDefault(b.Context(), b.account(bank), "a", strings.NewReader("%PDF-2")))
		b.runFor(2 * time.Minute) // the file that the other node remembers is gone
		b.wantDocuments(start("4"), "a UPLOADED %PDF-2")
		b.ok(b.signing.DeleteDefinition(b.Context(), b.account(bank), "a"))
		c := start("5")
		b.wantDocuments(c)
		if files := b.filesOf(string(bank) + "/" + string(c.ID)); len(files) != 0 {
			t.Errorf("an identification without documents has %d files", len(files))
		}
	})
}

// counting counts how often definitions are read.
type counting struct {
	*traced
	reads int
}

func (c *counting) DefinitionChange(ctx context.Context, id company.ID) (int64, error) {
	c.reads++
	return c.traced.DefinitionChange(ctx, id)
}

func TestCreationsReadNoDefinitions(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		o := b.signing.Options
		store := &counting{traced: b.db}
		o.Store = store
		into := b.identifyOptions()
		into.Signing = signing.New(o)
		service := identify.New(into)
		for n := range 5 {
			_, err := service.Start(b.Context(), b.account(bank), fmt.Sprint(n), person.Application{})
			b.ok(err)
			_, err = service.Start(b.Context(), b.account(other), fmt.Sprint(n), person.Application{})
			b.ok(err)
		}
		if store.reads != 1 {
			t.Errorf("they were read %d times", store.reads)
		}
	})
}

func TestUpdateOfAnExistingOneMakesNoDocuments(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		c := b.start("1")
		files := b.filesOf(string(bank))
		s, err := b.identify.Start(b.Context(), b.account(bank), "1", b.application("firstname", "Eva"))
		if b.ok(err); s.Created || s.ID != c.ID {
			t.Errorf("%+v", s)
		}
		if after := b.filesOf(string(bank)); len(after) != len(files) {
			t.Errorf("%d files became %d", len(files), len(after))
		}
	})
}

func TestDocumentsCanBeChangedOnlyBeforeAndBetweenAttempts(t *testing.T) {
	for _, s := range ident.States {
		if s == ident.Deleted {
			continue
		}
		t.Run(string(s), func(t *testing.T) {
			inBubble(t, 100, func(b *bench) {
				b.signs(bank)
				b.define("a", "%PDF-1")
				c := b.inState(s, "1")
				name := "Late"
				upload := b.upload(c, "a", "%PDF-2")
				update := b.signing.UpdateDocument(b.Context(), b.account(bank), b.get(c), "a", esign.DocumentChange{Name: &name})
				switch {
				case s == ident.Created || s == ident.Aborted:
					b.ok(errors.Join(upload, update))
					b.wantDocuments(c, "a UPLOADED %PDF-2")
					acts := b.acts(string(c.ID))
					if got := acts[len(acts)-2:]; !slices.Equal(got, []string{"company document.uploaded a", "company document.updated a"}) {
						t.Errorf("%q", got)
					}
					return
				case s.Open():
					b.wantFault(upload, fault.Precondition, "upload")
					b.wantFault(update, fault.Precondition, "update")
				default:
					b.wantFault(upload, fault.Finished, "upload")
					b.wantFault(update, fault.Finished, "update")
				}
				switch {
				case s == ident.Canceled:
				case s == ident.Success || s == ident.SuccessChanged || s == ident.Archived:
					b.wantDocuments(c, "a SIGNED %PDF-1")
				default:
					b.wantDocuments(c, "a UPLOADED %PDF-1")
				}
			})
		})
	}
}

// meanwhile does something while a file is looked into.
type meanwhile struct {
	signingtest.Inspector
	do func()
}

func (m *meanwhile) Check(ctx context.Context, file []byte) error {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.Inspector.Check(ctx, file)
}

func TestUploadThatComesTooLateLeavesNothing(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		c := b.start("1")
		files := len(b.filesOf(string(bank)))
		m := &meanwhile{do: func() { b.request(c) }}
		b.signing.Inspector = m
		b.wantFault(b.upload(c, "a", "%PDF-2"), fault.Precondition, "when the process has begun meanwhile")
		b.ok(b.video.Abort(b.Context(), c, ident.TechVideo, "system"))
		m.do = func() { b.ok(b.identify.Delete(b.Context(), bank, "1", "company")) }
		if err := b.upload(c, "a", "%PDF-2"); err == nil {
			t.Error("to one that was deleted meanwhile")
		}
		if n := len(b.filesOf(string(bank) + "/" + string(c.ID))); n != 0 {
			t.Errorf("%d files are left of a deleted one", n)
		}
		d := b.start("2")
		m.do = func() { b.ok(b.upload(d, "a", "%PDF-3")) } // another one is faster: the last one wins
		b.ok(b.upload(d, "a", "%PDF-4"))
		b.wantDocuments(d, "a UPLOADED %PDF-4")
		if n := len(b.filesOf(string(bank))); n != files {
			t.Errorf("there are %d files, not %d", n, files)
		}
	})
}

func TestFileThatIsRefusedLeavesNothing(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		c := b.start("1")
		files := len(b.filesOf(string(bank)))
		b.wantFault(b.upload(c, "a", "no such thing"), fault.Invalid, "no PDF")
		b.wantFault(b.upload(c, "a", ""), fault.Invalid, "nothing")
		b.wantFault(b.upload(c, "none", "%PDF-1"), fault.NotFound, "an unknown document")
		b.wantFault(b.upload(c, "a", "%PDF-1 trouble"), fault.Internal, "trouble of ours")
		large := io.LimitReader(endless{}, esign.MaxFile+1)
		b.wantFault(b.signing.Upload(b.Context(), b.account(bank), b.get(c), "a", large), fault.TooLarge, "one byte too many")
		cut := io.MultiReader(strings.NewReader("%PDF-1"), broken{})
		b.wantFault(b.signing.Upload(b.Context(), b.account(bank), b.get(c), "a", cut), fault.Invalid, "half of it")
		b.wantFault(b.signing.PutDefault(b.Context(), b.account(bank), "a", strings.NewReader("x")), fault.Invalid, "no PDF as default")
		b.wantFault(b.signing.PutDefault(b.Context(), b.account(bank), "none", strings.NewReader("x")), fault.NotFound, "an unknown definition")
		b.wantDocuments(c, "a UPLOADED %PDF-1")
		if n := len(b.filesOf(string(bank))); n != files {
			t.Errorf("there are %d files, not %d", n, files)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestCanceledOneLosesItsDocuments(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		c := b.start("1")
		b.ok(b.upload(c, "a", "%PDF-1 of "+lastName))
		link, err := b.signing.UploadLink(b.Context(), b.get(c))
		b.ok(err)
		before := b.get(c)
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
		b.wantDocuments(c)
		rows, err := b.db.Documents(b.Context(), bank, c.ID, before.KeyID)
		if b.ok(err); len(rows) != 0 {
			t.Errorf("%d rows are left", len(rows))
		}
		_, err = b.signing.SignedFile(b.Context(), b.account(bank), b.get(c), "a")
		b.wantFault(err, fault.Precondition, "a signed document")
		// Opened again, it has new ones, and no old link leads to them.
		b.define("b", "")
		s, err := b.identify.Start(b.Context(), b.account(bank), "1", b.application("lastname", "Neu"))
		if b.ok(err); s.Created {
			t.Error("a new one")
		}
		b.wantDocuments(c, "a UPLOADED %PDF-1", "b NEED_UPLOAD")
		b.runFor(time.Minute)
		b.wantDocuments(c, "a UPLOADED %PDF-1", "b NEED_UPLOAD")
		_, err = b.signing.ByUploadLink(b.Context(), bank, token(link))
		b.wantFault(err, fault.NotFound, "the old link")
	})
}

func token(link string) string { return link[strings.LastIndexByte(link, '/')+1:] }

func TestCopiedDocumentsOutliveTheirSource(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "")
		c := b.start("1")
		b.ok(b.upload(c, "a", "%PDF-1 of "+lastName))
		b.identified(c, "")
		b.review(c, evidence.Review{Decision: evidence.Confirm})
		id, err := b.identify.Copy(b.Context(), b.account(bank), "1", other, "")
		b.ok(err)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		target := videoident.Case{Company: other, ID: id}
		b.wantDocuments(target, "a SIGNED %PDF-1 of "+lastName)
		i := b.get(target)
		i.Company = bank
		if list, err := b.signing.Documents(b.Context(), i); err != nil || len(list) != 0 {
			t.Errorf("the other company sees %d, %v", len(list), err)
		}
	})
}

func TestDeletionTakesTheDocuments(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		c := b.start("1")
		i := b.get(c)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		rows, err := b.db.Documents(b.Context(), bank, c.ID, i.KeyID)
		if b.ok(err); len(rows) != 0 || len(b.filesOf(string(bank)+"/"+string(c.ID))) != 0 {
			t.Errorf("%d rows are left, or files", len(rows))
		}
	})
}

func TestDeletedCompanyLeavesNoDefinition(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1")
		b.start("1")
		b.ok(b.accounts.Delete(b.Context(), bank))
		b.runFor(2 * time.Minute)
		all, err := b.db.Definitions(b.Context(), bank)
		if b.ok(err); len(all) != 0 || len(b.filesOf(string(bank))) != 0 {
			t.Errorf("%d definitions are left, and %d files", len(all), len(b.filesOf(string(bank))))
		}
		b.signs(bank)
		b.wantDocuments(b.start("1"))
	})
}

func TestUploadLinkOpensItsOwnIdentificationOnly(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		_, err := b.signing.UploadLink(b.Context(), b.get(b.start("none")))
		b.wantFault(err, fault.Precondition, "without documents")
		b.define("b", "")
		b.define("a", "%PDF-1")
		c := b.start("1")
		link, err := b.signing.UploadLink(b.Context(), b.get(c))
		b.ok(err)
		p, err := b.signing.ByUploadLink(b.Context(), bank, token(link))
		if b.ok(err); p.Identification.ID != c.ID || p.Document.Definition.Identifier != "b" || p.Closed {
			t.Errorf("%+v", p)
		}
		for name, wrong := range map[string]string{"nothing": "", "something": "abc", "cut": token(link)[:50], "too long": strings.Repeat("a", 500)} {
			_, err := b.signing.ByUploadLink(b.Context(), bank, wrong)
			b.wantFault(err, fault.NotFound, name)
		}
		for _, company := range []company.ID{other, "nobody"} {
			_, err := b.signing.ByUploadLink(b.Context(), company, token(link))
			b.wantFault(err, fault.NotFound, string(company))
		}
		b.ok(b.signing.UploadByUser(b.Context(), p, strings.NewReader("%PDF-u")))
		b.ok(b.signing.UploadByUser(b.Context(), p, strings.NewReader("%PDF-v")))
		b.wantDocuments(c, "b UPLOADED %PDF-v", "a UPLOADED %PDF-1")
		b.ok(b.upload(c, "b", "%PDF-c"))
		b.wantFault(b.signing.UploadByUser(b.Context(), p, strings.NewReader("%PDF-w")), fault.Forbidden, "over the company's own")
		b.wantDocuments(c, "b UPLOADED %PDF-c", "a UPLOADED %PDF-1")
		if got := b.acts(string(c.ID)); !slices.Equal(got[len(got)-3:], []string{"user document.uploaded b", "user document.uploaded b", "company document.uploaded b"}) {
			t.Errorf("%q", got)
		}
		b.request(c)
		if p, err = b.signing.ByUploadLink(b.Context(), bank, token(link)); err != nil || !p.Closed {
			t.Errorf("while the process runs: %v, %v", p.Closed, err)
		}
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		_, err = b.signing.ByUploadLink(b.Context(), bank, token(link))
		b.wantFault(err, fault.NotFound, "a deleted one")
	})
}

func TestManyDefinitionsAtOnceStandInOneOrder(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		done := make(chan error)
		for n := range 10 {
			go func() {
				id, name, kind, at := esign.Identifier(fmt.Sprint("d", n)), "x", "application/pdf", int64(1)
				done <- b.signing.CreateDefinition(b.Context(), b.account(bank), esign.Change{Identifier: &id, Name: &name, MIMEType: &kind, SortOrder: &at})
			}()
		}
		for range 10 {
			b.ok(<-done)
		}
		all, err := b.signing.Definitions(b.Context(), b.account(bank))
		b.ok(err)
		for n, d := range all {
			if d.SortOrder != int64(n+1) {
				t.Errorf("number %d stands at %d", n, d.SortOrder)
			}
		}
		if len(all) != 10 {
			t.Errorf("there are %d", len(all))
		}
	})
}

// TestNothingOfADocumentLiesInClear looks at all bytes of the data folder.
func TestNothingOfADocumentLiesInClear(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.define("a", "%PDF-1 default")
		c := b.start("1")
		name := "Contract of " + lastName
		b.ok(b.upload(c, "a", "%PDF-1 of "+lastName))
		b.ok(b.signing.UpdateDocument(b.Context(), b.account(bank), b.get(c), "a", esign.DocumentChange{Name: &name}))
		d, err := b.signing.Document(b.Context(), b.get(c), "a")
		b.ok(err)
		for file, content := range b.everything() {
			for _, secret := range [][]byte{[]byte(lastName), d.File.Hash, []byte(d.File.Hex()), []byte("%PDF-1")} {
				if bytes.Contains(content, secret) {
					t.Errorf("%s holds %q", file, secret)
				}
			}
		}
	})
}

func TestProcessWaitsForTheFilesThatItNeeds(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.signs(bank)
		b.ok(b.signing.Ready(b.Context(), b.get(b.start("none"))))
		b.define("a", "")
		b.define("b", "%PDF-1")
		b.define("c", "")
		b.define("d", "")
		optional := true
		b.ok(b.signing.UpdateDefinition(b.Context(), b.account(bank), "d", esign.Change{Optional: &optional}))
		c := b.start("1")
		var missing []string
		for _, f := range fault.All(b.signing.Ready(b.Context(), b.get(c))) {
			missing = append(missing, f.Kind.String()+" "+f.Key)
		}
		if !slices.Equal(missing, []string{"precondition a", "precondition c"}) {
			t.Errorf("%q", missing)
		}
		b.ok(b.upload(c, "a", "%PDF-1"))
		b.ok(b.upload(c, "c", "%PDF-1"))
		b.ok(b.signing.Ready(b.Context(), b.get(c)))
	})
}
