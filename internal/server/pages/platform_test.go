package pages_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vidimus/internal/blob"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/keys"
	"vidimus/internal/server/pages"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/signing/signingtest"
	"vidimus/internal/service/vault"
	"vidimus/internal/service/videoident"
	"vidimus/internal/store"
)

// site is the pages over HTTP, with the real services over a real embedded store.
type site struct {
	*testing.T
	now      atomic.Int64
	accounts *account.Directory
	identify *identify.Service
	publish  *publish.Service
	signing  *signing.Service
	video    *videoident.Service
	db       *store.DB
	server   *httptest.Server
	log      safeBuffer
	closed   bool // the database, by the test itself
}

const (
	bankKey  = "exampleApiKey"
	otherKey = "testbankApiKey"
	// lastName is personal: no page and no log may hold it.
	lastName = "Geheimnisvoll"
)

type safeBuffer struct {
	gate sync.Mutex
	b    bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.b.String()
}

func newSite(t *testing.T, live bool) *site {
	t.Helper()
	s := &site{T: t}
	s.now.Store(time.Date(2026, time.March, 9, 14, 0, 0, 0, time.UTC).UnixMicro())
	c := clock.New(func() time.Time { return time.UnixMicro(s.now.Load()).UTC() }, 1)
	ctx, dir := t.Context(), t.TempDir()
	master, err := keys.OpenMaster(filepath.Join(dir, "master"))
	s.ok(err)
	keyStore, err := keys.Open(ctx, filepath.Join(dir, "keys.db"), master)
	s.ok(err)
	s.db, err = store.Open(ctx, "", dir, master.Derive("audit"))
	s.ok(err)
	files, err := blob.Open(ctx, "", filepath.Join(dir, "files"))
	s.ok(err)
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	var serial atomic.Int64
	newID := func() string { return fmt.Sprintf("%026x", serial.Add(1)) }
	vault, folder := keyring{keyStore}, folder{files}
	s.accounts = account.New(s.db, master, c, newID, newID)
	runner := jobs.NewRunner(s.db, "node", c, log, newID) // never run
	s.publish = publish.New(publish.Options{
		Store: s.db, Keys: vault, Files: folder, Accounts: s.accounts, Jobs: runner, Master: master, Reporter: reporter{},
		Clock: c, Random: rand.Reader, NewID: newID, Node: "node", Log: log,
	})
	documents, _, _ := signingtest.Fill(signing.Options{
		Store: s.db, Keys: vault, Files: folder, Accounts: s.accounts, Jobs: runner, Master: master, Defaults: master.Key("default documents"),
		Clock: c, NewID: newID, Log: log,
	})
	s.signing = signing.New(documents)
	s.identify = identify.New(identify.Options{
		Store: s.db, Keys: vault, Files: folder, Signing: s.signing, Accounts: s.accounts, Jobs: runner, Publish: s.publish, Clock: c, Random: rand.Reader, NewID: newID, Log: log,
	})
	s.video = videoident.New(videoident.Options{
		Store: s.db, Keys: vault, Files: folder, Accounts: s.accounts, Publish: s.publish, Signing: s.signing, Jobs: runner, Clock: c, NewID: newID, Log: log,
	})
	s.server = httptest.NewServer(pages.New(pages.Options{
		Login: login.New(s.db, s.accounts, c, rand.Reader), Publish: s.publish, Signing: s.signing, Clock: c, NewID: newID,
		NewError: func() string { return fmt.Sprint(400_000_000 + serial.Add(1)) }, Log: log,
		Proxies: web.Proxies{netip.MustParsePrefix("127.0.0.0/8")}, Limits: web.NewLimits(live, c.Now), Live: live,
	}))
	t.Cleanup(func() {
		s.server.Close()
		if s.closed {
			_ = files.Close()
			_ = keyStore.Close()
			return
		}
		if err := errors.Join(files.Close(), s.db.Close(), keyStore.Close()); err != nil {
			t.Error(err)
		}
	})
	s.apply("ihrebank", nil)
	s.apply("testbank", nil)
	return s
}

func (s *site) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// apply changes a company that has the form.
func (s *site) apply(id company.ID, change func(c *company.Company)) {
	s.Helper()
	key := map[company.ID]string{"ihrebank": bankKey, "testbank": otherKey}[id]
	c := company.New(id, company.Shortcode(strings.ToUpper(string(id[:3]))), map[company.ID]string{"ihrebank": "IhreBank AG", "testbank": "TestBank AG"}[id])
	c.SecureDownload = true
	if change != nil {
		change(&c)
	}
	s.ok(s.accounts.Apply(s.Context(), c, company.Secrets{APIKeys: []string{key}}))
}

func (s *site) get(number string) ident.Identification {
	s.Helper()
	i, err := s.identify.Find(s.Context(), "ihrebank", number)
	s.ok(err)
	return i
}

func (s *site) preliminary(number string) videoident.Case {
	s.Helper()
	ctx := s.Context()
	a, _ := s.accounts.Get("ihrebank")
	var sent person.Application
	s.ok(sent.Set("lastname", lastName, time.UnixMicro(s.now.Load())))
	started, err := s.identify.Start(ctx, a, number, sent)
	s.ok(err)
	c := videoident.Case{Company: "ihrebank", ID: started.ID}
	s.ok(s.video.Request(ctx, c, ident.VideoIdent, ident.Web, nil))
	s.ok(s.video.Take(ctx, c, "A"))
	all := []videoident.Piece{{What: evidence.Recording{Key: "audiolog", Format: "mp3"}, Bytes: bytes.Repeat([]byte("sound"), 100_000)}, {What: evidence.Code{To: "***1"}}}
	for _, key := range []string{"idfrontside", "userface"} {
		all = append(all, videoident.Piece{What: evidence.Image{Key: key, Format: "jpeg", By: "A"}, Bytes: []byte(key)})
	}
	for _, name := range []string{evidence.DocumentGenuine, evidence.FaceMatches, evidence.PersonPresent} {
		all = append(all, videoident.Piece{What: evidence.Check{Name: name, Passed: true, By: "A"}})
	}
	s.ok(s.video.Record(ctx, c, all...))
	s.ok(s.video.Conclude(ctx, c, evidence.Verdict{Data: person.Data{
		Userdata: map[person.Field]string{person.Lastname: strings.ToUpper(lastName)},
		Document: map[person.DocumentField]string{person.DocumentType: "IDCARD", person.DocumentNumber: "X1"},
	}}))
	return c
}

// finished returns the path of a link to the result of a new identification.
func (s *site) finished(number string) string {
	s.Helper()
	s.ok(s.video.Review(s.Context(), s.preliminary(number), evidence.Review{Decision: evidence.Confirm, Reviewer: "B"}))
	return s.publish.Link(s.get(number))
}

func (s *site) zip(number string) []byte {
	s.Helper()
	a, _ := s.accounts.Get("ihrebank")
	z, err := s.publish.ZIP(s.Context(), a, s.get(number))
	s.ok(err)
	var b bytes.Buffer
	s.ok(z.Write(s.Context(), &b))
	return b.Bytes()
}

// ledger lists what was fetched of an identification: its ends are written as at a stop.
func (s *site) ledger(id ident.ID) []delivery.HandOver {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	s.publish.Run(ctx)
	list, err := s.db.HandOversOf(s.Context(), "ihrebank", id, time.Time{}, "", 100)
	s.ok(err)
	return list
}

type answer struct {
	*http.Response
	body string
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask makes a request; form is sent as a browser sends one.
func (s *site) ask(method, path string, form url.Values, header ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+path, strings.NewReader(form.Encode()))
	s.ok(err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", "en")
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	a, err := client.Do(r)
	s.ok(err)
	defer func() { _ = a.Body.Close() }()
	b, err := io.ReadAll(a.Body)
	s.ok(err)
	return answer{a, string(b)}
}

// want is ask with the status that is expected.
func (s *site) want(status int, method, path string, form url.Values, header ...string) answer {
	s.Helper()
	a := s.ask(method, path, form, header...)
	if a.StatusCode != status {
		s.Fatalf("%s %s: %d, expected %d: %.2000s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

func withKey(key string) url.Values { return url.Values{"apikey": {key}} }

// The adapters that cmd/vidimus has, as far as these tests need them.

type keyring struct{ store *keys.Store }

func (k keyring) Draw(ctx context.Context) (string, vault.Key, error) {
	id, key, err := k.store.Draw(ctx)
	return string(id), key, err
}

func (k keyring) Undraw(string, vault.Key) {}

func (k keyring) Get(ctx context.Context, id string) (vault.Key, error) {
	key, err := k.store.Get(ctx, keys.ID(id))
	if errors.Is(err, keys.ErrDestroyed) {
		return nil, fault.Of(fault.NotFound).Because(err)
	}
	return key, err
}

func (k keyring) GetMany(context.Context, []string) (map[string]vault.Key, error) {
	return nil, errors.New("no page lists anything")
}

func (k keyring) Destroy(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		if err := k.store.Destroy(ctx, keys.ID(id)); err != nil {
			return err
		}
	}
	return nil
}

type folder struct{ blob.Store }

func (f folder) Create(ctx context.Context, name string, write func(w io.Writer) error) error {
	w, err := f.Store.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := write(w); err != nil {
		return err
	}
	return w.Commit()
}

type reporter struct{}

func (reporter) Report(w io.Writer, _ publish.Report) error {
	_, err := io.WriteString(w, "%PDF")
	return err
}
