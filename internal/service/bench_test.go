// Package service_test drives the services together, over a real embedded store, key store
// and folder, in the time of a bubble: nothing here waits, and every moment is exact. What
// lies outside, companies' servers and mail, is played.
package service_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vidimus/internal/blob"
	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
	"vidimus/internal/keys"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/retention"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/signing/signingtest"
	"vidimus/internal/service/vault"
	"vidimus/internal/service/videoident"
	"vidimus/internal/store"
)

const (
	bank  company.ID = "ihrebank"
	other company.ID = "testbank"
)

// bench is all services, wired as the program wires them.
type bench struct {
	*testing.T
	dir      string
	clock    clock.Clock
	db       *traced
	keys     *keyring
	files    folder
	master   keys.Master
	accounts *account.Directory
	login    *login.Service
	jobs     *jobs.Runner
	signing  *signing.Service
	trust    *signingtest.Trust
	pen      *signingtest.Pen
	publish  *publish.Service
	identify *identify.Service
	video    *videoident.Service
	retain   *retention.Service
	net      *network
	log      *bytes.Buffer
	trace    *trace
	newID    func() string
}

// inBubble runs the test on a fresh bench. A speedup keeps long durations cheap.
func inBubble(t *testing.T, speedup int, test func(b *bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newBench(t, speedup)) })
}

func newBench(t *testing.T, speedup int) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir(), clock: clock.New(time.Now, speedup), net: &network{}, log: &bytes.Buffer{}, trace: &trace{}}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	b.master, err = keys.OpenMaster(filepath.Join(b.dir, "master"))
	must(err)
	keyStore, err := keys.Open(ctx, filepath.Join(b.dir, "keys", "keys.db"), b.master)
	must(err)
	db, err := store.Open(ctx, "", b.dir, b.master.Derive("audit"))
	must(err)
	files, err := blob.Open(ctx, "", filepath.Join(b.dir, "files"))
	must(err)
	t.Cleanup(func() {
		if err := errors.Join(files.Close(), db.Close(), keyStore.Close()); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	b.db, b.keys, b.files = &traced{DB: db, trace: b.trace}, &keyring{store: keyStore, trace: b.trace}, folder{files, b.trace}
	b.wire()
	b.apply(bank, nil)
	b.apply(other, nil)
	return b
}

func (b *bench) wire() {
	var gate sync.Mutex
	serial := 0
	b.newID = func() string {
		gate.Lock()
		defer gate.Unlock()
		serial++
		return fmt.Sprintf("%08d", serial)
	}
	newID, log := b.newID, slog.New(slog.NewTextHandler(b.log, nil))
	b.accounts = account.New(b.db, b.master, b.clock, newID, func() string { return "whsec_" + newID() })
	b.login = login.New(b.db, b.accounts, b.clock, rand.Reader)
	b.jobs = jobs.NewRunner(b.db, "node", b.clock, log, newID)
	b.publish = publish.New(b.publishOptions(b.db))
	var documents signing.Options
	documents, b.trust, b.pen = signingtest.Fill(signing.Options{
		Store: b.db, Keys: b.keys, Files: b.files, Accounts: b.accounts, Jobs: b.jobs, Master: b.master, Defaults: b.master.Key("default documents"),
		Clock: b.clock, NewID: newID, Base: "https://ident.example.com", Log: log,
	})
	b.signing = signing.New(documents)
	b.jobs.Handle(signing.Discard, b.signing.HandleDiscard)
	b.identify = identify.New(b.identifyOptions())
	b.video = videoident.New(videoident.Options{
		Store: b.db, Keys: b.keys, Files: b.files, Accounts: b.accounts, Publish: b.publish, Signing: b.signing, Jobs: b.jobs, Clock: b.clock, NewID: newID, Log: log,
	})
	b.retain = retention.New(retention.Options{Store: b.db, Keys: b.keys, Files: b.files, Accounts: b.accounts, Identify: b.identify, Jobs: b.jobs, Clock: b.clock, Log: log})
	b.jobs.Handle(retention.Delete, b.retain.HandleDelete)
	b.jobs.Handle(retention.Forget, b.retain.HandleForget)
	b.jobs.Handle(account.Erase, b.identify.HandleErase)
	b.jobs.Handle(identify.Remove, b.identify.HandleRemove)
	b.jobs.Handle(identify.Forget, b.identify.HandleForget)
	b.jobs.Handle(publish.Mail, b.publish.HandleMail)
	b.jobs.Handle(publish.Strip, b.publish.HandleStrip)
	b.jobs.Handle(videoident.Timeout, b.video.HandleTimeout)
	b.jobs.Handle(videoident.Forget, b.video.HandleForget)
}

func (b *bench) publishOptions(s publish.Store) publish.Options {
	return publish.Options{
		Store: s, Keys: b.keys, Files: b.files, Accounts: b.accounts, Jobs: b.jobs, Master: b.master, Reporter: reporter{}, Sender: b.net, Mailer: b.net,
		Clock: b.clock, Random: rand.Reader, NewID: b.newID, Node: "node", Base: "https://ident.example.com", MaxMail: 1 << 20, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
}

func (b *bench) identifyOptions() identify.Options {
	return identify.Options{
		Store: b.db, Keys: b.keys, Files: b.files, Signing: b.signing, Accounts: b.accounts, Jobs: b.jobs, Publish: b.publish, Clock: b.clock, Random: rand.Reader, NewID: b.newID,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Test: true,
	}
}

// run starts what works in the background; stop ends it. It must be stopped before the
// test ends.
func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	all.Go(func() { b.jobs.Run(ctx) })
	all.Go(func() { b.publish.Run(ctx) })
	return func() {
		cancel()
		all.Wait()
	}
}

// runFor has the background work for a while.
func (b *bench) runFor(d time.Duration) {
	stop := b.run()
	time.Sleep(d)
	stop()
}

// ok ends the test at an error.
func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// wantFault expects a fault of that kind.
func (b *bench) wantFault(err error, kind fault.Kind, what string) {
	b.Helper()
	if !fault.Is(err, kind) {
		b.Errorf("%s: %v, want %s", what, err, kind)
	}
}

const apiKey = "a-secret-api-key-of-"

// apply creates the company or changes it.
func (b *bench) apply(id company.ID, change func(c *company.Company)) {
	b.Helper()
	c := company.New(id, company.Shortcode(strings.ToUpper(string(id[:3]))), string(id))
	c.TechnicalContact = "tech@" + string(id) + ".example"
	if id == bank {
		c.Realtime, c.Archive, c.CopyTo = true, true, []company.ID{other, "nobody"}
		c.Questions = []question.Definition{{Key: "source", Type: question.Input, Label: "Source of funds"}}
	}
	if change != nil {
		change(&c)
	}
	b.ok(b.accounts.Apply(b.Context(), c, company.Secrets{APIKeys: []string{apiKey + string(id)}}))
}

func (b *bench) account(id company.ID) *account.Account {
	b.Helper()
	a, ok := b.accounts.Get(id)
	if !ok {
		b.Fatalf("%s is unknown", id)
	}
	return a
}

// application makes what a company sends of names and values.
func (b *bench) application(fields ...string) person.Application {
	b.Helper()
	var a person.Application
	for n := 0; n < len(fields); n += 2 {
		b.ok(a.Set(fields[n], fields[n+1], b.clock.Now()))
	}
	return a
}

// lastName is personal, and occurs in every sample.
const lastName = "Geheimnisvoll"

// start creates an identification with the number.
func (b *bench) start(number string) videoident.Case {
	b.Helper()
	s, err := b.identify.Start(b.Context(), b.account(bank), number, b.application("firstname", "Anna", "lastname", lastName))
	b.ok(err)
	if !s.Created {
		b.Fatalf("%s was there already", number)
	}
	return videoident.Case{Company: bank, ID: s.ID}
}

// data is what the agent reads: what the company sent.
func data() person.Data {
	return person.Data{
		Userdata: map[person.Field]string{person.Firstname: "ANNA", person.Lastname: strings.ToUpper(lastName)},
		Document: map[person.DocumentField]string{person.DocumentType: "IDCARD", person.DocumentNumber: "X1"},
	}
}

// pieces is everything that a verdict needs, and a bit more.
func pieces() []videoident.Piece {
	all := []videoident.Piece{
		{What: evidence.Reading{Field: "lastname", Value: lastName, Source: evidence.VisualZone}},
		{What: evidence.Code{To: "***1"}},
		{What: evidence.Answer{Key: "source", Value: question.Text("salary")}},
		{What: evidence.Recording{Key: "audiolog", Format: "mp3"}, Bytes: bytes.Repeat([]byte("sound of "+lastName), 1000)},
	}
	for _, key := range []string{"idfrontside", "userface"} {
		all = append(all, videoident.Piece{What: evidence.Image{Key: key, Format: "jpeg", By: "A"}, Bytes: []byte(key + " of " + lastName)})
	}
	for _, name := range []string{evidence.DocumentGenuine, evidence.FaceMatches, evidence.PersonPresent} {
		all = append(all, videoident.Piece{What: evidence.Check{Name: name, Passed: true, By: "A"}})
	}
	return all
}

// request has the user ask for an agent, take an agent begin.
func (b *bench) request(c videoident.Case) {
	b.Helper()
	b.ok(b.video.Request(b.Context(), c, ident.VideoIdent, ident.Web, nil))
}

func (b *bench) take(c videoident.Case) {
	b.Helper()
	b.request(c)
	b.ok(b.video.Take(b.Context(), c, "A"))
}

// identified goes as far as the preliminary result.
func (b *bench) identified(c videoident.Case, suspect ident.Reason) {
	b.Helper()
	b.take(c)
	b.ok(b.video.Record(b.Context(), c, pieces()...))
	b.ok(b.video.Conclude(b.Context(), c, evidence.Verdict{Data: data(), Suspect: suspect}))
}

// review decides as the reviewer B.
func (b *bench) review(c videoident.Case, r evidence.Review) {
	b.Helper()
	r.Reviewer = "B"
	b.ok(b.video.Review(b.Context(), c, r))
}

func (b *bench) finished(number string) videoident.Case {
	b.Helper()
	c := b.start(number)
	b.identified(c, "")
	b.review(c, evidence.Review{Decision: evidence.Confirm})
	return c
}

func (b *bench) canceled(number string) videoident.Case {
	b.Helper()
	c := b.start(number)
	b.identified(c, "")
	b.review(c, evidence.Review{Decision: evidence.Cancel, Reason: ident.TechPhoto})
	return c
}

// inState makes an identification of that state.
func (b *bench) inState(s ident.State, number string) videoident.Case {
	b.Helper()
	ctx := b.Context()
	if s == ident.Canceled {
		return b.canceled(number)
	}
	if s.Final() && s != ident.FraudConfirmed && s != ident.SuccessChanged {
		c := b.finished(number)
		if s == ident.Archived {
			b.ok(b.identify.Archive(ctx, b.account(bank), number))
		}
		return c
	}
	c := b.start(number)
	switch s {
	case ident.Waiting:
		b.request(c)
	case ident.InProcess:
		b.take(c)
		b.ok(b.video.Record(ctx, c, pieces()...))
	case ident.Aborted:
		b.take(c)
		b.ok(b.video.Abort(ctx, c, ident.TechVideo, "agent:A"))
	case ident.ReviewPending:
		b.identified(c, "")
	case ident.FraudPending:
		b.identified(c, "WARNING_PHOTO")
	case ident.FraudConfirmed:
		b.identified(c, "WARNING_PHOTO")
		b.review(c, evidence.Review{Decision: evidence.ConfirmFraud})
	case ident.SuccessChanged:
		b.identified(c, "")
		changed := data()
		changed.Userdata[person.Firstname] = "ANNE"
		b.review(c, evidence.Review{Decision: evidence.Correct, Data: changed})
	default:
	}
	if got := b.get(c).State; got != s {
		b.Fatalf("%s is %s, want %s", number, got, s)
	}
	return c
}

func (b *bench) get(c videoident.Case) ident.Identification {
	b.Helper()
	i, err := b.db.IdentificationByID(b.Context(), c.Company, c.ID)
	b.ok(err)
	return i
}

// acts lists what the audit trail tells of an identification, and checks its hashes.
func (b *bench) acts(chain string) []string {
	b.Helper()
	entries, err := b.db.AuditChain(b.Context(), chain)
	b.ok(err)
	var previous []byte
	var acts []string
	for _, e := range entries {
		if !bytes.Equal(e.Hash, e.Sum(b.db.AuditKey(), previous)) {
			b.Errorf("the hash of entry %d of %s is wrong", e.Seq, chain)
		}
		previous = e.Hash
		acts = append(acts, line(e))
	}
	return acts
}

func line(e audit.Entry) string {
	return strings.TrimSpace(e.Actor + " " + e.Act + " " + e.Detail)
}

// filesOf lists the files below a folder of the blobs, by content.
func (b *bench) filesOf(folder string) map[string][]byte {
	b.Helper()
	all := map[string][]byte{}
	root := filepath.Join(b.dir, "files", folder)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = content
		return err
	})
	b.ok(err)
	return all
}

// zip returns the archive of a result.
func (b *bench) zip(c videoident.Case) []byte {
	b.Helper()
	z, err := b.publish.ZIP(b.Context(), b.account(c.Company), b.get(c))
	b.ok(err)
	var content bytes.Buffer
	b.ok(z.Write(b.Context(), &content))
	if z.Size != int64(content.Len()) {
		b.Errorf("the archive is said to have %d bytes, it has %d", z.Size, content.Len())
	}
	return content.Bytes()
}

func (b *bench) json(c videoident.Case) string {
	b.Helper()
	j, err := b.publish.JSON(b.Context(), b.account(c.Company), b.get(c))
	b.ok(err)
	return string(j)
}

// trace remembers in which order things are destroyed.
type trace struct {
	gate  sync.Mutex
	steps []string
}

func (t *trace) add(step string) {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.steps = append(t.steps, step)
}

func (t *trace) take() []string {
	t.gate.Lock()
	defer t.gate.Unlock()
	steps := t.steps
	t.steps = nil
	return steps
}

type traced struct {
	*store.DB
	trace  *trace
	refuse atomic.Bool // the ends of hand-overs
}

func (t *traced) EndHandOvers(ctx context.Context, all []delivery.HandOver) error {
	if t.refuse.Load() {
		return errors.New("no space left")
	}
	return t.DB.EndHandOvers(ctx, all)
}

func (t *traced) BuryIdentification(ctx context.Context, i ident.Identification, now time.Time, by string) error {
	t.trace.add("bury " + string(i.ID))
	return t.DB.BuryIdentification(ctx, i, now, by)
}

func (t *traced) EraseRecords(ctx context.Context, id ident.ID) error {
	t.trace.add("rows " + string(id))
	return t.DB.EraseRecords(ctx, id)
}

// keyring is vault.Keys over the key store.
type keyring struct {
	store *keys.Store
	trace *trace
	down  error // what Destroy answers instead
}

func (k *keyring) Draw(ctx context.Context) (string, vault.Key, error) {
	id, key, err := k.store.Draw(ctx)
	if err != nil {
		return "", nil, err
	}
	return string(id), key, nil
}

func (k *keyring) Undraw(string, vault.Key) {}

func (k *keyring) Get(ctx context.Context, id string) (vault.Key, error) {
	key, err := k.store.Get(ctx, keys.ID(id))
	if errors.Is(err, keys.ErrDestroyed) {
		return nil, fault.Of(fault.NotFound).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

func (k *keyring) GetMany(ctx context.Context, ids []string) (map[string]vault.Key, error) {
	all := map[string]vault.Key{}
	for _, id := range ids {
		key, err := k.Get(ctx, id)
		if err == nil {
			all[id] = key
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return all, nil
}

func (k *keyring) Known(id string) bool { return k.store.Known(keys.ID(id)) }

func (k *keyring) Missing(ctx context.Context, ids []string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, id := range ids {
		missing, err := k.store.Missing(ctx, []keys.ID{keys.ID(id)})
		if err != nil {
			return nil, err
		}
		if missing[keys.ID(id)] {
			all[id] = true
		}
	}
	return all, nil
}

func (k *keyring) Destroy(ctx context.Context, ids ...string) error {
	if k.down != nil {
		return k.down
	}
	for _, id := range ids {
		k.trace.add("key " + id)
		if err := k.store.Destroy(ctx, keys.ID(id)); err != nil {
			return err
		}
	}
	return nil
}

type folder struct {
	blob.Store
	trace *trace
}

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

func (f folder) DeletePrefix(ctx context.Context, prefix string) error {
	f.trace.add("files " + prefix)
	return f.Store.DeletePrefix(ctx, prefix)
}

// reporter is a PDF that tells how many pictures it got.
type reporter struct{}

func (reporter) Report(w io.Writer, r publish.Report) error {
	_, err := fmt.Fprintf(w, "%%PDF with %d pictures", len(r.Pictures))
	return err
}

// network plays the companies' servers and the mail server.
type network struct {
	gate   sync.Mutex
	answer func(url string, try int) (int, string) // nil: 200
	sent   []hook
	mails  []publish.NoticeMail
	refuse error // what a mail is answered with

	posted []posted
	taking func(m publish.ResultMail, try int) publish.Posted // nil: the mail server takes everything
}

type hook struct {
	URL, Secret, ID, Body string
	At                    time.Time
}

func (n *network) Send(_ context.Context, url, secret, id string, body []byte) (int, string) {
	n.gate.Lock()
	n.sent = append(n.sent, hook{url, secret, id, string(body), time.Now()})
	try := 0
	for _, h := range n.sent {
		if h.URL == url {
			try++
		}
	}
	answer := n.answer
	n.gate.Unlock()
	if answer == nil {
		return 200, ""
	}
	return answer(url, try)
}

func (n *network) Notify(_ context.Context, m publish.NoticeMail) (bool, error) {
	n.gate.Lock()
	defer n.gate.Unlock()
	if n.refuse != nil {
		return false, n.refuse
	}
	n.mails = append(n.mails, m)
	return false, nil
}

// posted is a result mail as the mail server saw it, opened.
type posted struct {
	To, ID, Link, Password string
	ZIP                    []byte
	At                     time.Time
}

func (n *network) Post(ctx context.Context, m publish.ResultMail) publish.Posted {
	var zip bytes.Buffer
	if m.Link == "" {
		if err := m.ZIP.Write(ctx, &zip); err != nil {
			return publish.Posted{Problem: "the result cannot be read", Cause: err}
		}
	}
	n.gate.Lock()
	n.posted = append(n.posted, posted{m.Mail.To, m.ID, m.Link, m.Password, zip.Bytes(), time.Now()})
	try := len(n.posted)
	taking := n.taking
	n.gate.Unlock()
	if taking == nil {
		return publish.Posted{Status: 250}
	}
	return taking(m, try)
}

// mailed returns the result mails so far.
func (n *network) mailed() []posted {
	n.gate.Lock()
	defer n.gate.Unlock()
	return slices.Clone(n.posted)
}

// hooks returns what was sent so far.
func (n *network) hooks() []hook {
	n.gate.Lock()
	defer n.gate.Unlock()
	return slices.Clone(n.sent)
}

// notices lists the mails so far: which, about which event.
func (n *network) notices() (all []string) {
	n.gate.Lock()
	defer n.gate.Unlock()
	for _, m := range n.mails {
		all = append(all, string(m.Notice)+" "+string(m.Delivery.Event))
	}
	return all
}
