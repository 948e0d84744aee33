// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mathrand "math/rand/v2"

	"vidimus/docs"
	"vidimus/internal/blob"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/question"
	"vidimus/internal/keys"
	"vidimus/internal/server/gateway"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/robot"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/signing/signingtest"
	"vidimus/internal/service/trail"
	"vidimus/internal/service/videoident"
	"vidimus/internal/store"
)

// epoch is when every test begins.
var epoch = time.Date(2026, time.March, 9, 14, 0, 0, 0, time.UTC)

// Who there is: ihrebank has every feature, testbank none, musterbank names its files by a
// field of the application and has two document fields redacted.
var keysOf = map[company.ID]string{"ihrebank": "exampleApiKey", "testbank": "testbankApiKey", "musterbank": "musterbankApiKey"}

func companies() []company.Company {
	bank := company.New("ihrebank", "IBA", "IhreBank AG")
	bank.Products = []company.Product{company.VideoIdent, company.AutoIdent, company.ESigning}
	bank.Realtime, bank.Archive, bank.PublicWaitingTime = true, true, true
	bank.CopyTo = []company.ID{"testbank", "nobody"}
	bank.Results.XMLSignature = true
	bank.Questions = []question.Definition{
		{Key: "question_key_str", Type: question.Dropdown, Label: "Source of funds", Options: []string{"salary", "savings"}},
		{Key: "question_key_int", Type: question.RadioBoolean, Label: "Are you a US citizen?"},
		{Key: "question_key_date", Type: question.Date, Label: "Resident since"},
		{Key: "question_key_country", Type: question.DropdownCountries, Label: "Where do you pay taxes?"},
		{Key: "question_key_number", Type: question.Numeric, Label: "Children"},
		{Key: "question_key_text", Type: question.Input, Label: "Remarks"},
		{Key: "question_key_image", Type: question.CustomImage, Label: "Second document"},
	}
	muster := company.New("musterbank", "MUB", "MusterBank AG")
	muster.Products = []company.Product{company.VideoIdent, company.ESigning}
	muster.Results.Filename = "{custom1}"
	muster.Results.Redact = []string{"number", "validuntil"}
	muster.Results.ImageFormat, muster.Results.AudioFormat = company.PNG, company.WAV
	return []company.Company{bank, company.New("testbank", "TSB", "TestBank AG"), muster}
}

// settings are what tests choose.
type settings struct {
	live   bool
	big    bool // recordings of many megabytes
	checks []gateway.Check
	dir    string // of a platform that was closed; empty: a new one
}

// platform is the real services over a real embedded store, and the gateway over HTTP.
type platform struct {
	t        testing.TB
	dir      string
	time     *fakeTime
	clock    clock.Clock
	db       *store.DB
	keys     *keys.Store
	master   keys.Master
	files    blob.Store
	accounts *account.Directory
	signing  *signing.Service
	publish  *publish.Service
	identify *identify.Service
	video    *videoident.Service
	handlers map[job.Kind]jobs.Handler
	server   *httptest.Server
	client   *http.Client
	log      *safeBuffer
	serial   atomic.Int64 // of error ids
}

type fakeTime struct{ offset atomic.Int64 }

func (f *fakeTime) now() time.Time          { return epoch.Add(time.Duration(f.offset.Load())) }
func (f *fakeTime) advance(d time.Duration) { f.offset.Add(int64(d)) }

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

// template is a data folder with the companies and the signing key in it: both take a
// while to make.
var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		return "", err
	}
	p := &platform{time: &fakeTime{}, log: &safeBuffer{}, dir: dir}
	if err := p.open(settings{}); err != nil {
		return dir, err
	}
	ctx := context.Background()
	for _, c := range companies() {
		secrets := company.Secrets{APIKeys: []string{keysOf[c.ID]}}
		if c.ID == "ihrebank" {
			secrets.APIKeys = append(secrets.APIKeys, "BXCexampleexampleexampleexampleRP")
		}
		if err := p.accounts.Apply(ctx, c, secrets); err != nil {
			return dir, err
		}
	}
	if _, err := p.publish.SigningKey(ctx); err != nil {
		return dir, err
	}
	if _, err := p.authority(ctx); err != nil {
		return dir, err
	}
	return dir, p.close()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := template(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newPlatform(t testing.TB, s settings) *platform {
	t.Helper()
	p := &platform{t: t, time: &fakeTime{}, log: &safeBuffer{}, dir: s.dir}
	if p.dir == "" {
		from, err := template()
		if err != nil {
			t.Fatal(err)
		}
		p.dir = t.TempDir()
		if err := os.CopyFS(p.dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(p.dir, "master"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.open(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// restart returns the platform that a new start on the same data would be.
func (p *platform) restart(s settings) *platform {
	p.t.Helper()
	if err := p.close(); err != nil {
		p.t.Fatal(err)
	}
	s.dir = p.dir
	next := newPlatform(p.t, s)
	next.time.offset.Store(p.time.offset.Load())
	next.serial.Store(p.serial.Load())
	return next
}

func (p *platform) close() error {
	if p.server != nil {
		p.server.Close()
		p.server = nil
	}
	var err error
	if p.db != nil {
		err = p.db.Close()
		p.db = nil
	}
	if p.keys != nil {
		if e := p.keys.Close(); err == nil {
			err = e
		}
		p.keys = nil
	}
	if p.files != nil {
		if e := p.files.Close(); err == nil {
			err = e
		}
		p.files = nil
	}
	return err
}

var ids atomic.Int64

func newID() string { return fmt.Sprintf("%026x", ids.Add(1)) }

// seeded is randomness that is the same in every run, so that transcripts are.
type seeded struct {
	gate   sync.Mutex
	source *mathrand.ChaCha8
}

func (s *seeded) Read(b []byte) (int, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.source.Read(b)
}

// shortest makes robots take the shortest time that they may.
type shortest struct{}

func (shortest) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func (p *platform) open(s settings) error {
	ctx := context.Background()
	p.clock = clock.New(p.time.now, 1)
	log := slog.New(slog.NewTextHandler(p.log, nil))
	master, err := keys.OpenMaster(filepath.Join(p.dir, "master"))
	if err != nil {
		return err
	}
	p.master = master
	if p.keys, err = keys.Open(ctx, filepath.Join(p.dir, "keys.db"), master); err != nil {
		return err
	}
	if p.db, err = store.Open(ctx, "", p.dir, master.Derive("audit")); err != nil {
		return err
	}
	if p.files, err = blob.Open(ctx, "", filepath.Join(p.dir, "files")); err != nil {
		return err
	}
	const node = "node"
	vault, files := keyring{p.keys}, folder{p.files}
	random := &seeded{source: mathrand.NewChaCha8([32]byte{1})}
	p.accounts = account.New(p.db, master, p.clock, newID, func() string { return "whsec_" + hex.EncodeToString(make([]byte, 32)) })
	logins := login.New(p.db, p.accounts, p.clock, rand.Reader)
	runner := jobs.NewRunner(p.db, node, p.clock, log, newID) // never run: work does
	p.publish = publish.New(publish.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Jobs: runner, Master: master, Reporter: reporter{},
		Clock: p.clock, Random: rand.Reader, NewID: newID, Node: node, Log: log,
	})
	documents, _, _ := signingtest.Fill(signing.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Jobs: runner, Master: master, Defaults: master.Key("default documents"),
		Clock: p.clock, NewID: newID, Base: "https://ident.example.com", Log: log,
	})
	p.signing = signing.New(documents)
	p.identify = identify.New(identify.Options{
		Store: p.db, Keys: vault, Files: files, Signing: p.signing, Accounts: p.accounts, Jobs: runner, Publish: p.publish, Clock: p.clock, Random: random,
		NewID: newID, Log: log, Test: !s.live,
	})
	p.video = videoident.New(videoident.Options{
		Store: p.db, Keys: vault, Files: files, Accounts: p.accounts, Publish: p.publish, Signing: p.signing, Jobs: runner, Clock: p.clock, NewID: newID, Log: log,
	})
	p.handlers = map[job.Kind]jobs.Handler{
		account.Erase: p.identify.HandleErase, identify.Remove: p.identify.HandleRemove, identify.Forget: p.identify.HandleForget,
		signing.Discard: p.signing.HandleDiscard, publish.Mail: p.publish.HandleMail, publish.Strip: p.publish.HandleStrip,
		videoident.Timeout: p.video.HandleTimeout, videoident.Forget: p.video.HandleForget,
	}
	o := gateway.Options{
		Login: logins, Accounts: p.accounts, Identify: p.identify, Signing: p.signing, Publish: p.publish, Waiting: p.video,
		Trail:  trail.New(trail.Options{Store: p.db, Marks: p.keys, Master: master, Clock: p.clock, Random: rand.Reader, Log: log}),
		Verify: verifyPDF,
		Checks: append([]gateway.Check{{Name: "database", Ping: p.db.Ping}, {Name: "keys", Ping: p.keys.Ping}, {Name: "files", Ping: p.files.Ping}}, s.checks...),
		Clock:  p.clock, NewID: newID, NewError: func() string { return fmt.Sprint(400_000_000 + p.serial.Add(1)) },
		Log: log, Limits: web.NewLimits(s.live, p.clock.Now), Live: s.live, Contract: docs.OpenAPI, Docs: docs.Page,
	}
	if !s.live {
		o.Robots = robot.New(robot.Options{
			Video: p.video, Specimen: drawings{big: s.big}, Signing: p.signing, Jobs: robotJobs{runner, p.db}, Accounts: p.accounts, Clock: p.clock, Random: shortest{},
		})
		maps.Copy(p.handlers, map[job.Kind]jobs.Handler{robot.Take: o.Robots.HandleTake, robot.Talk: o.Robots.HandleTalk, robot.Review: o.Robots.HandleReview})
	}
	o.Published, o.Trust = p.published, trust{p}
	o.Proxies = web.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	p.server, p.client = httptest.NewServer(gateway.New(o)), plainClient
	return p.accounts.Refresh(ctx)
}

// work lets time pass, and has done what becomes due meanwhile, each at its time.
func (p *platform) work(d time.Duration) {
	p.t.Helper()
	ctx := p.t.Context()
	until := p.clock.Now().Add(d)
	for {
		now := p.clock.Now()
		due, err := p.db.ClaimJobs(ctx, "node", now, now.Add(time.Hour), 100)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, j := range due {
			if err := p.handlers[j.Kind](ctx, j); err != nil {
				p.t.Fatalf("job %s: %v", j.Kind, err)
			}
			if err := p.db.InTx(ctx, func(ctx context.Context) error { return p.db.FinishJob(ctx, j.ID, "node") }); err != nil {
				p.t.Fatal(err)
			}
		}
		if len(due) > 0 {
			continue
		}
		next, err := p.db.NextJob(ctx, now)
		if err != nil {
			p.t.Fatal(err)
		}
		if next.IsZero() || next.After(until) {
			p.time.advance(until.Sub(now))
			return
		}
		p.time.advance(next.Sub(now))
	}
}

// login returns a new token of the company.
func (p *platform) login(c company.ID) string {
	p.t.Helper()
	r := p.send(p.request(http.MethodPost, "/api/v1/"+string(c)+"/login", `{"apiKey":"`+keysOf[c]+`"}`, nil))
	if r.StatusCode != http.StatusOK {
		p.t.Fatalf("logging in: %d %s", r.StatusCode, r.body)
	}
	return r.decode(p.t)["authToken"].(string)
}

// The adapters that cmd/vidimus has, as far as these tests need them.

type keyring struct{ *keys.Store }

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

type robotJobs struct {
	*jobs.Runner
	db *store.DB
}

func (r robotJobs) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	return r.db.InTx(ctx, do)
}

// reporter writes no more than the beginning and the end of a PDF.
type reporter struct{}

func (reporter) Report(w io.Writer, r publish.Report) error {
	_, err := fmt.Fprintf(w, "%%PDF-1.7\n%% %s\n%%%%EOF\n", r.Result.Process.ID)
	return err
}
