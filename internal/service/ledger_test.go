package service_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/videoident"
)

// fetched returns what was fetched of an identification.
func (b *bench) fetched(c videoident.Case) []delivery.HandOver {
	b.Helper()
	all, err := b.db.HandOversOf(b.Context(), c.Company, c.ID, time.Time{}, "", 100)
	b.ok(err)
	return all
}

func TestTheHashOfAnArchiveIsThatOfItsBytes(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		want := sha256.Sum256(b.zip(c))
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		got, err := z.Hash(b.Context())
		if err != nil || !bytes.Equal(got, want[:]) {
			t.Errorf("%x, %v: want %x", got, err, want)
		}
		r, err := b.db.Result(b.Context(), c.ID, b.get(c).ResultSeq)
		b.ok(err)
		var stored struct{ Archive struct{ SHA256 string } }
		if err := json.Unmarshal([]byte(r.Archive), &stored); err != nil || len(stored.Archive.SHA256) != 64 {
			t.Errorf("stored is %q, %v", stored.Archive.SHA256, err)
		}
	})
}

func TestTheHashOfAnOlderArchiveIsComputed(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		tables, err := sql.Open("sqlite", "file:"+filepath.Join(b.dir, "vidimus.db")+"?_pragma=busy_timeout(10000)")
		b.ok(err)
		defer func() { _ = tables.Close() }()
		// As results were stored before archives had a hash.
		_, err = tables.ExecContext(b.Context(), "UPDATE result SET archive = json_remove(archive, '$.Archive.SHA256')")
		b.ok(err)
		want := sha256.Sum256(b.zip(c))
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		got, err := z.Hash(b.Context())
		if err != nil || !bytes.Equal(got, want[:]) {
			t.Errorf("%x, %v: want %x", got, err, want)
		}
		r, err := b.db.Result(b.Context(), c.ID, b.get(c).ResultSeq)
		if err != nil || strings.Contains(r.Archive, `"SHA256":"`+hex.EncodeToString(want[:])) {
			t.Errorf("the hash is stored, so that this test shows nothing: %v", err)
		}
	})
}

func TestLedgerKnowsAHandOverBeforeAndAfter(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		stop := b.run()
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		h, err := z.Begin(b.Context(), delivery.SFTP, "192.0.2.7")
		b.ok(err)
		began := time.Now()
		sum := sha256.Sum256(b.zip(c))
		if got := b.fetched(c); len(got) != 1 || got[0].State != delivery.Begun || !bytes.Equal(got[0].Hash, sum[:]) || got[0].Client != "192.0.2.7" || got[0].Way != delivery.SFTP {
			t.Errorf("before the end: %+v", got)
		}
		time.Sleep(time.Minute)
		h.End(publish.Ended{Whole: true, Bytes: z.Size})
		h.End(publish.Ended{}) // the first word counts
		time.Sleep(time.Second)
		if got := b.fetched(c)[0]; got.State != delivery.Done || got.Bytes != z.Size || !got.At.Equal(began) || !got.DoneAt.Equal(began.Add(time.Minute)) {
			t.Errorf("after the end: %+v", got)
		}
		half, err := z.Begin(b.Context(), delivery.Form, "192.0.2.8")
		b.ok(err)
		half.End(publish.Ended{Bytes: 3})
		stop() // a stop forgets nothing
		if got := b.fetched(c)[1]; got.State != delivery.Broken || got.Bytes != 3 || !bytes.Equal(got.Hash, sum[:]) {
			t.Errorf("a broken one: %+v", got)
		}
	})
}

func TestAStopWaitsForWhatItBreaksOff(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		stop := b.run()
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		for range 2 {
			h, err := z.Begin(b.Context(), delivery.Form, "192.0.2.8")
			b.ok(err)
			time.AfterFunc(500*time.Millisecond, func() { h.End(publish.Ended{Bytes: 3}) })
		}
		never, err := z.Begin(b.Context(), delivery.Form, "192.0.2.8")
		b.ok(err)
		began := time.Now()
		stop()
		if took := time.Since(began); took < 500*time.Millisecond || took > 2*time.Second {
			t.Errorf("the stop took %s", took)
		}
		got := b.fetched(c)
		if got[0].State != delivery.Broken || got[1].State != delivery.Broken || got[2].State != delivery.Begun {
			t.Errorf("%+v", got)
		}
		never.End(publish.Ended{Whole: true}) // nobody is there any more
	})
}

func TestEndsThatCannotBeWrittenAreWrittenLater(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		b.db.refuse.Store(true)
		stop := b.run()
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		h, err := z.Begin(b.Context(), delivery.Form, "192.0.2.8")
		b.ok(err)
		h.End(publish.Ended{Whole: true, Bytes: z.Size})
		time.Sleep(5 * time.Second)
		if got := b.fetched(c)[0]; got.State != delivery.Begun {
			t.Errorf("%+v", got)
		}
		b.db.refuse.Store(false)
		time.Sleep(5 * time.Second)
		if got := b.fetched(c)[0]; got.State != delivery.Done {
			t.Errorf("%+v", got)
		}
		stop()
	})
}

func TestLedgerKeepsWhatHooksHandedOver(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		c := b.finished("1")
		b.runFor(time.Second)
		d := b.deliveries(c)[0]
		body := b.json(c)
		sum := sha256.Sum256([]byte(body))
		if d.Way != delivery.Webhook || d.Bytes != int64(len(body)) || !bytes.Equal(d.Hash, sum[:]) || d.State != delivery.Delivered {
			t.Errorf("%+v", d)
		}
	})
}

func TestLedgerTellsOfAllWaysInOrder(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Events...)
		stop := b.run()
		c := b.finished("Order-1")
		fetch := func(way delivery.Way) {
			time.Sleep(time.Second)
			z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
			b.ok(err)
			h, err := z.Begin(b.Context(), way, "192.0.2.7")
			b.ok(err)
			h.End(publish.Ended{Whole: true, Bytes: z.Size})
		}
		fetch(delivery.SFTP)
		fetch(delivery.Form)
		b.subscribe(company.Policy{}) // the mail of another hook does not come
		other := b.finished("Order-2")
		fetch(delivery.RESTZIP)
		time.Sleep(time.Second)
		b.ok(b.identify.Delete(b.Context(), bank, "order-1", "company"))
		stop()
		var got []string
		var spot publish.Spot
		for {
			page, err := b.publish.LedgerOf(b.Context(), bank, c.ID, spot, 2)
			b.ok(err)
			for _, e := range page {
				got = append(got, strings.TrimSpace(string(e.Way)+" "+string(e.Event)+" "+e.State))
				spot = publish.Spot{At: e.At, ID: e.ID}
			}
			if len(page) < 2 {
				break
			}
		}
		want := []string{"WEBHOOK REALTIME DELIVERED", "WEBHOOK FINAL DELIVERED", "SFTP  DONE", "FORM  DONE", "REST_ZIP  DONE"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		all, err := b.publish.Ledger(b.Context(), bank, publish.Spot{}, 3)
		b.ok(err)
		if len(all) != 3 || all[0].Way != delivery.RESTZIP || all[1].Way != delivery.Form || all[2].Way != delivery.SFTP {
			t.Errorf("the newest: %+v", all)
		}
		next, err := b.publish.Ledger(b.Context(), bank, publish.Spot{At: all[2].At, ID: all[2].ID}, 3)
		b.ok(err)
		if len(next) != 2 || next[0].Event != company.Final || next[1].Event != company.Realtime {
			t.Errorf("what follows: %+v", next)
		}
		if foreign, err := b.publish.LedgerOf(b.Context(), "testbank", c.ID, publish.Spot{}, 9); err != nil || len(foreign) > 0 {
			t.Errorf("another company reads %v, %v", foreign, err)
		}
		for _, ref := range []string{"ORDER-1", strings.ToLower(string(c.ID))} {
			if id, err := b.identify.Buried(b.Context(), bank, ref); err != nil || id != c.ID {
				t.Errorf("%s: %s, %v", ref, id, err)
			}
		}
		_, err = b.identify.Buried(b.Context(), bank, string(other.ID))
		b.wantFault(err, fault.NotFound, "one that is there")
	})
}

func TestLedgerGoesWithTheCompany(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.finished("1")
		z, err := b.publish.ZIP(b.Context(), b.account(bank), b.get(c))
		b.ok(err)
		_, err = z.Begin(b.Context(), delivery.RESTZIP, "192.0.2.7")
		b.ok(err)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		if got := b.fetched(c); len(got) != 1 {
			t.Errorf("after the deletion of the identification: %+v", got)
		}
		b.ok(b.accounts.Delete(b.Context(), bank))
		b.runFor(10 * time.Second)
		if got := b.fetched(c); len(got) != 0 {
			t.Errorf("after that of the company: %+v", got)
		}
		_, err = z.Begin(b.Context(), delivery.RESTZIP, "192.0.2.7")
		b.wantFault(err, fault.NotFound, "a hand-over to a deleted company")
	})
}

// linkToken returns the token of a new link.
func (b *bench) linkToken(c videoident.Case) string {
	b.Helper()
	link := b.publish.Link(b.get(c))
	token, ok := strings.CutPrefix(link, "https://ident.example.com/"+string(c.Company)+"/download/")
	if !ok {
		b.Fatalf("the link is %s", link)
	}
	return token
}

// withForm lets both companies have the form.
func (b *bench) withForm() {
	b.Helper()
	for _, id := range []company.ID{bank, other} {
		b.apply(id, func(c *company.Company) { c.SecureDownload, c.Realtime = true, false })
	}
}

func (b *bench) wantDead(c company.ID, token, why string) {
	b.Helper()
	_, _, err := b.publish.ByLink(b.Context(), c, token)
	b.wantFault(err, fault.NotFound, why)
}

func TestLinkOpensItsIdentificationOnly(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.withForm()
		c := b.finished("1")
		token := b.linkToken(c)
		a, z, err := b.publish.ByLink(b.Context(), bank, token)
		if err != nil || a.ID != bank || z.Name != "1.zip" {
			t.Fatalf("%v, %v", z, err)
		}
		if b.linkToken(c) == token {
			t.Error("two links are the same: something can be told from them")
		}
		if strings.Contains(token, "IBA") || strings.Contains(token, "ihrebank") {
			t.Errorf("the token tells: %s", token)
		}
		b.wantDead(other, token, "another company")
		b.wantDead("nobody", token, "an unknown company")
		b.wantDead(bank, token[:len(token)-1], "a token that was cut")
		b.wantDead(bank, token+"A", "a token that was lengthened")
		b.wantDead(bank, "", "none")
		for n := range token {
			other := []byte(token)
			other[n] ^= 1
			b.wantDead(bank, string(other), "a token that was altered")
		}
		b.apply(bank, func(c *company.Company) { c.SecureDownload = false })
		b.wantDead(bank, token, "an account without the form")
	})
}

func TestLinkDiesWithItsIdentification(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.withForm()
		c := b.finished("1")
		token := b.linkToken(c)
		b.ok(b.identify.Delete(b.Context(), bank, "1", "company"))
		b.wantDead(bank, token, "a deleted one")

		pending := b.start("2")
		b.identified(pending, "")
		token = b.linkToken(pending)
		b.wantDead(bank, token, "a preliminary result without realtime")
		b.apply(bank, func(c *company.Company) { c.SecureDownload, c.Realtime = true, true })
		_, _, err := b.publish.ByLink(b.Context(), bank, token)
		b.ok(err)
		b.review(pending, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
		b.wantDead(bank, token, "a canceled one")
		_, err = b.identify.Start(b.Context(), b.account(bank), "2", b.application("firstname", "Anna"))
		b.ok(err)
		b.identified(pending, "")
		b.wantDead(bank, token, "one with another key than the link's")
	})
}

func TestLinkOfAnArchivedOneIsGood(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.SecureDownload, c.Archive = true, true })
		c := b.inState(ident.Archived, "1")
		_, _, err := b.publish.ByLink(b.Context(), bank, b.linkToken(c))
		b.ok(err)
	})
}
